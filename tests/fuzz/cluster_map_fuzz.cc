// Maps of a cluster in any bytes: what nodes may act by says of each slot whose it is, once, and is
// the same when it is read again.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "server/cluster/cluster_map.h"

namespace ferrite::cluster {
namespace {

void Try(std::string_view bytes) {
  const auto map = ParseClusterMap(bytes);
  if (!map.ok()) {
    FERRITE_CHECK(absl::IsInvalidArgument(map.status()) ||
                  absl::IsFailedPrecondition(map.status()));
    return;
  }
  FERRITE_CHECK(CheckClusterMap(**map).ok());
  const auto again = ParseClusterMap((*map)->SerializeAsString());
  FERRITE_CHECK(again.ok() && (*again)->SerializeAsString() == (*map)->SerializeAsString());
}

}  // namespace
}  // namespace ferrite::cluster

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ferrite::cluster::Try(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
