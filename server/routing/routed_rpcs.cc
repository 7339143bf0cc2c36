#include "server/routing/routed_rpcs.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "server/engine/joined_request.h"
#include "server/routing/operation_key.h"
#include "server/routing/routed_batch.h"
#include "server/routing/routed_frame.h"
#include "server/routing/routed_scan.h"
#include "server/routing/routed_unary.h"

namespace ferrite {

std::vector<Rpc> Routed(std::vector<Rpc> plain, Store* store, const CacheHandlers* cache,
                        WireHandlers* wire, const OwnEvents& events, const Router* router) {
  const auto pipeline = std::find_if(
      plain.begin(), plain.end(), [](const Rpc& rpc) { return rpc.method == Method::kPipeline; });
  // Lives as long as the handlers that use it.
  const auto frames = std::make_shared<const Handler>(pipeline->handler);
  for (Rpc& rpc : plain) {
    if (const int field = OperationFieldOf(rpc.method); field != 0) {
      rpc.handler = RoutedUnary(std::move(rpc.handler), field, router);
    } else if (IsBatch(rpc.method)) {
      rpc.handler =
          OfJoinedRequests(RoutedBatch(rpc.method, std::move(rpc.handler), frames, cache, router));
    } else if (rpc.method == Method::kPipeline) {
      rpc.handler = OfJoinedRequests(RoutedFrames(std::move(rpc.handler), wire, router));
    } else if (rpc.method == Method::kScan) {
      rpc.handler = RoutedScan(store, router);
    } else if (rpc.method == Method::kSubscribe) {
      rpc.handler = RoutedSubscribe(std::move(rpc.handler), events, router);
    }
  }
  return plain;
}

}  // namespace ferrite
