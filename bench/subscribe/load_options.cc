#include "bench/subscribe/load_options.h"

namespace ferrite::bench {
namespace {

// gRPC's own clients begin with 64 KiB and grow with what the connection carries.
constexpr uint32_t kWindowBytes = 1 << 20;
constexpr uint32_t kStalledWindowBytes = 64 << 10;

}  // namespace

std::unique_ptr<Dialect> LoadOptions::MakeDialect(bool subscribes) const {
  if (protocol == "redis") return MakeRedisDialect();
  const FerriteCall publishes = burst > 1 ? FerriteCall::kPipeline : FerriteCall::kPublish;
  return MakeFerriteDialect(subscribes ? FerriteCall::kSubscribe : publishes,
                            stalled ? kStalledWindowBytes : kWindowBytes);
}

}  // namespace ferrite::bench
