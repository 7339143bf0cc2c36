#include "server/routing/routed_unary.h"

#include <utility>

#include "server/call/status.h"
#include "server/routing/forwarded_call.h"
#include "server/routing/operation_key.h"
#include "server/routing/served_since.h"

namespace ferrite {
Handler RoutedUnary(Handler plain, int field, const Router* router) {
  return [plain = std::move(plain), field, router](Turn* turn) -> absl::Status {
    const RequestKey found = KeyOfRequest(turn->request().bytes());
    if (!found.well_formed) return Malformed(RequestNameOf(field));
    if (found.key.empty()) return plain(turn);  // which refuses it
    ThreadRouting* const here = router->of(turn->thread_index());
    const ServedSince since(here);
    const uint32_t slot = SlotOf(found.key);
    switch (const Way way = here->WayTo(slot, ThreadRouting::MayForward(turn->caller()))) {
      case Way::kServe:
        return Serve(plain, {slot}, since, turn);
      case Way::kForward:
        return ForwardCall(turn, field, slot, here);
      default:
        return here->Refuse(way, slot);
    }
  };
}

}  // namespace ferrite
