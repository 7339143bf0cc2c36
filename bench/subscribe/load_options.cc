#include "bench/subscribe/load_options.h"

namespace ferrite::bench {

std::unique_ptr<Dialect> LoadOptions::MakeDialect(bool subscribes) const {
  if (protocol == "redis") return MakeRedisDialect();
  const FerriteCall publishes = burst > 1 ? FerriteCall::kPipeline : FerriteCall::kPublish;
  return MakeFerriteDialect(subscribes ? FerriteCall::kSubscribe : publishes, !stalled);
}

}  // namespace ferrite::bench
