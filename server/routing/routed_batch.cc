#include "server/routing/routed_batch.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ferrite/v1/cache.pb.h"
#include "proto/wire/field_reader.h"
#include "server/call/limits.h"
#include "server/call/status.h"
#include "server/handlers/large_writes.h"
#include "server/routing/gather.h"
#include "server/routing/lapsed_batch.h"
#include "server/routing/operation_key.h"
#include "server/routing/scattered.h"
#include "server/routing/served_since.h"
#include "store/operation.h"

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

// Calls body(entry, RequestKey) for each entry, and one of too many at most. False if one is
// malformed.
template <typename Body>
bool ForEachKey(std::string_view request, const BatchKind& kind, const Body& body) {
  FieldReader field(request);
  for (size_t count = 0; count <= kMaxBatchKeys && field.Next();) {
    if (!field.Is(kKeys)) continue;
    ++count;
    const RequestKey found = kind.of_keys ? RequestKey{.well_formed = true, .key = field.bytes()}
                                          : KeyOfRequest(field.bytes());
    if (!found.well_formed) return false;
    body(field.bytes(), found);
  }
  return field.well_formed();
}

struct BatchSurvey {
  bool well_formed = false;
  bool valid = true;  // there are neither too few nor too many, and each has a key
  bool all_here = false;
};

BatchSurvey Survey(std::string_view request, const BatchKind& kind, ThreadRouting* here) {
  const cluster::ClusterView& view = here->view();
  BatchSurvey survey{.all_here = here->may_serve()};
  size_t count = 0;
  survey.well_formed = ForEachKey(request, kind, [&](std::string_view, const RequestKey& found) {
    const std::string_view key = found.key;
    ++count;
    survey.valid &= !key.empty() && key.size() <= kMaxKeyBytes;
    survey.all_here &= view.route(SlotOf(key)).place == cluster::Route::Place::kHere;
  });
  survey.valid &= CheckBatchSize(count).ok();
  return survey;
}

std::vector<ScatteredOperation> OperationsOf(std::string_view request, const BatchKind& kind,
                                             const Caller& caller) {
  std::vector<ScatteredOperation> operations;
  const auto deadline = caller.deadline();
  ForEachKey(request, kind, [&](std::string_view entry, const RequestKey& found) {
    operations.push_back({.operation = {.body = entry,
                                        .field = kind.field,
                                        .body_is_key = kind.of_keys,
                                        .has_request_id = found.has_request_id,
                                        .deadline = deadline},
                          .key = found.key});
  });
  return operations;
}

Slots SlotsOf(std::string_view request, const BatchKind& kind) {
  Slots slots;
  ForEachKey(request, kind, [&](std::string_view, const RequestKey& found) {
    slots.push_back(SlotOf(found.key));
  });
  return slots;
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
  return [method, kind = KindOf(method), plain = std::move(plain), frames = std::move(frames),
          cache, router](Turn* turn) -> absl::Status {
    ThreadRouting* const here = router->of(turn->thread_index());
    const ServedSince since(here);
    const std::string_view request = turn->request().bytes();
    const BatchSurvey survey = Survey(request, kind, here);
    if (!survey.well_formed) return Malformed(kind.request);
    if (!survey.valid) return plain(turn);  // which refuses it
    if (survey.all_here && request.size() < kLargeBatchBytes) {
      const absl::Status status = plain(turn);
      if (since.AllStill() || !status.ok()) [[likely]]
        return status;
      return ReplaceLapsed(method, SlotsOf(request, kind), since, turn->reply());
    }
    if (!kind.of_keys) {
      if (absl::Status status = CheckEntries(*cache, *turn); !status.ok()) return status;
    }
    return Scatter(OperationsOf(request, kind, turn->caller()), /*in_order=*/false, kind.gather,
                   frames.get(), here, turn);
  };
}

}  // namespace ferrite
