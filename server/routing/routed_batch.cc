#include "server/routing/routed_batch.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ferrite/v1/cache.pb.h"
#include "proto/wire/field_reader.h"
#include "server/call/limits.h"
#include "server/call/status.h"
#include "server/routing/gather.h"
#include "server/routing/operation_key.h"
#include "server/routing/scattered.h"
#include "server/routing/served_since.h"

namespace ferrite {
namespace {

// The field of keys or entries, which is the same in all of them.
constexpr int kKeys = v1::MGetRequest::kKeysFieldNumber;
static_assert(kKeys == v1::MSetRequest::kEntriesFieldNumber &&
              kKeys == v1::MDeleteRequest::kKeysFieldNumber &&
              kKeys == v1::ExistsRequest::kKeysFieldNumber);

// What a batch is made of.
struct BatchKind {
  std::string_view request;  // the type
  int field = 0;             // of Operation, for one of its keys or entries
  bool of_keys = false;
  Gather gather = nullptr;
};

BatchKind KindOf(Method method) {
  using v1::Operation;
  switch (method) {
    case Method::kMGet:
      return {"MGetRequest", Operation::kGetFieldNumber, true, &GatherMGet};
    case Method::kMSet:
      return {"MSetRequest", Operation::kSetFieldNumber, false, &GatherMSet};
    case Method::kMDelete:
      return {"MDeleteRequest", Operation::kDeleteFieldNumber, true, &GatherMDelete};
    case Method::kExists:
      return {"ExistsRequest", Operation::kExistsFieldNumber, true, &GatherExists};
    default:
      return {};
  }
}

struct Batch {
  bool well_formed = true;
  bool valid = true;  // there are neither too few nor too many, and each has a key
  std::vector<ScatteredOperation> operations;
  Slots slots;
};

Batch ParseBatch(std::string_view request, const BatchKind& kind, const Caller& caller) {
  Batch batch;
  FieldReader field(request);
  while (field.Next()) {
    if (!field.Is(kKeys)) continue;
    const RequestKey found = kind.of_keys ? RequestKey{true, field.bytes()}  //
                                          : KeyOfRequest(field.bytes());
    batch.well_formed &= found.well_formed;
    batch.valid &= CheckKey(found.key).ok();
    batch.slots.push_back(SlotOf(found.key));
    batch.operations.push_back({.body = field.bytes(),
                                .field = kind.field,
                                .body_is_key = kind.of_keys,
                                .key = found.key,
                                .deadline = caller.deadline()});
    if (batch.operations.size() > kMaxBatchKeys) break;
  }
  batch.well_formed &= field.well_formed();
  batch.valid &= CheckBatchSize(batch.operations.size()).ok();
  return batch;
}

bool AllHere(const Slots& slots, ThreadRouting* here) {
  const cluster::ClusterView& view = here->view();
  const bool may_serve = here->may_serve();
  for (const uint32_t slot : slots) {
    if (WayOf(view, view.route(slot), may_serve, /*may_forward=*/false) != Way::kServe) {
      return false;
    }
  }
  return true;
}

// Before the first entry is written: a bad request changes nothing.
absl::Status CheckEntries(const CacheHandlers& cache, const Turn& turn) {
  v1::MSetRequest request;
  if (!turn.request().ParseInto(&request)) return Malformed("MSetRequest");
  return cache.CheckMSet(request);
}

}  // namespace

bool IsBatch(Method method) { return KindOf(method).gather != nullptr; }

Handler RoutedBatch(Method method, Handler plain, std::shared_ptr<const Handler> frames,
                    const CacheHandlers* cache, const Router* router) {
  return [kind = KindOf(method), plain = std::move(plain), frames = std::move(frames), cache,
          router](Turn* turn) -> absl::Status {
    Batch batch = ParseBatch(turn->request().bytes(), kind, turn->caller());
    if (!batch.well_formed) return Malformed(kind.request);
    if (!batch.valid) return plain(turn);  // which refuses it
    ThreadRouting* const here = router->of(turn->thread_index());
    const ServedSince since(here);
    if (AllHere(batch.slots, here)) return Serve(plain, std::move(batch.slots), since, turn);
    if (!kind.of_keys) {
      if (absl::Status status = CheckEntries(*cache, *turn); !status.ok()) return status;
    }
    return Scatter(batch.operations, /*in_order=*/false, kind.gather, frames.get(), here, turn);
  };
}

}  // namespace ferrite
