#include "server/access/admin_place.h"

#include <utility>

#include "server/access/checked_rpcs.h"
#include "server/call/status.h"

namespace ferrite {
namespace {

const absl::Status& NotHere() {
  static const absl::Status refused =
      MakeError(absl::StatusCode::kPermissionDenied, v1::ADMIN_ELSEWHERE,
                "this node takes calls that administer it, or its cluster, on a listener of their "
                "own (--admin-listen); nothing was done");
  return refused;
}

}  // namespace

std::vector<Rpc> AdministeredElsewhere(std::vector<Rpc> plain) {
  for (Rpc& rpc : plain) {
    if (NeedsOf(rpc.method) != Needs::kAdmin) continue;
    rpc.handler = [handler = std::move(rpc.handler)](Turn* turn) {
      return turn->caller().is_administrators() ? handler(turn) : NotHere();
    };
  }
  return plain;
}

}  // namespace ferrite
