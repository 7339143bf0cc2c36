#include "server/access/checked_batch.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ferrite/v1/cache.pb.h"
#include "proto/wire/field_reader.h"
#include "server/access/demand.h"
#include "server/access/partial_answer.h"
#include "server/auth/denial.h"
#include "server/call/limits.h"
#include "server/call/status.h"
#include "server/handlers/operation_error.h"
#include "server/metrics/refusals.h"

namespace ferrite {
namespace {

// The field of keys or entries, which is the same in all of them.
constexpr int kKeys = v1::MGetRequest::kKeysFieldNumber;
static_assert(kKeys == v1::MSetRequest::kEntriesFieldNumber &&
              kKeys == v1::MDeleteRequest::kKeysFieldNumber &&
              kKeys == v1::ExistsRequest::kKeysFieldNumber);

// What becomes of a batch of which some keys are not allowed.
struct Partition {
  std::vector<bool> allowed;  // of each key
  absl::Status denied;        // the others
};

// Puts the outcomes of what was executed between those of what was not. Of responses that have a
// field `errors`: take(from, i, to) appends outcome i, or an empty one.
template <typename Response, typename Take>
bool MergeOutcomes(const Partition& partition, const std::string& bytes, ReplyWriter* reply,
                   const Take& take) {
  Response from;
  if (!from.ParseFromString(bytes)) return false;
  Response to;
  int next = 0;
  int next_error = 0;
  for (size_t i = 0; i < partition.allowed.size(); ++i) {
    if (!partition.allowed[i]) {
      CountRefusal(partition.denied);
      take(from, -1, &to);
      v1::KeyError* const error = to.add_errors();
      error->set_index(static_cast<uint32_t>(i));
      *error->mutable_error() = ToOperationError(partition.denied);
      continue;
    }
    if (next_error < from.errors_size() &&
        from.errors(next_error).index() == static_cast<uint32_t>(next)) {
      v1::KeyError* const error = to.add_errors();
      error->Swap(from.mutable_errors(next_error++));
      error->set_index(static_cast<uint32_t>(i));
    }
    take(from, next++, &to);
  }
  reply->AppendMessage(to);
  return true;
}

bool MergeMGet(const Partition& partition, const std::string& bytes, ReplyWriter* reply) {
  return MergeOutcomes<v1::MGetResponse>(partition, bytes, reply,
                                         [](v1::MGetResponse& from, int i, v1::MGetResponse* to) {
                                           v1::GetResponse* const result = to->add_results();
                                           if (i >= 0) result->Swap(from.mutable_results(i));
                                         });
}

bool MergeMDelete(const Partition& partition, const std::string& bytes, ReplyWriter* reply) {
  return MergeOutcomes<v1::MDeleteResponse>(
      partition, bytes, reply, [](v1::MDeleteResponse& from, int i, v1::MDeleteResponse* to) {
        to->add_deleted(i >= 0 && from.deleted(i));
      });
}

bool MergeExists(const Partition& partition, const std::string& bytes, ReplyWriter* reply) {
  return MergeOutcomes<v1::ExistsResponse>(
      partition, bytes, reply, [](v1::ExistsResponse& from, int i, v1::ExistsResponse* to) {
        to->add_exists(i >= 0 && from.exists(i));
      });
}

bool MergeMSet(const Partition& partition, const std::string& bytes, ReplyWriter* reply) {
  v1::MSetResponse from;
  if (!from.ParseFromString(bytes)) return false;
  v1::MSetResponse to;
  int next = 0;
  for (const bool allowed : partition.allowed) {
    v1::MSetResult* const result = to.add_results();
    if (!allowed) {
      CountRefusal(partition.denied);
      *result->mutable_error() = ToOperationError(partition.denied);
    } else if (next < from.results_size()) {
      result->Swap(from.mutable_results(next++));
    } else {
      return false;
    }
  }
  reply->AppendMessage(to);
  return true;
}

struct BatchKind {
  std::string_view request;  // the type
  int field = 0;             // of Operation, for one of its keys or entries
  bool of_keys = false;
  bool (*merge)(const Partition& partition, const std::string& bytes, ReplyWriter* reply) = nullptr;
};

BatchKind KindOf(Method method) {
  using v1::Operation;
  switch (method) {
    case Method::kMGet:
      return {"MGetRequest", Operation::kGetFieldNumber, true, &MergeMGet};
    case Method::kMSet:
      return {"MSetRequest", Operation::kSetFieldNumber, false, &MergeMSet};
    case Method::kMDelete:
      return {"MDeleteRequest", Operation::kDeleteFieldNumber, true, &MergeMDelete};
    default:
      return {"ExistsRequest", Operation::kExistsFieldNumber, true, &MergeExists};
  }
}

// Which keys are allowed.
struct Survey {
  absl::Status problem;  // of the batch as a whole
  std::vector<bool> allowed;
  size_t denied = 0;
};

// Calls deny(demand) for each that is not allowed.
template <typename Deny>
Survey SurveyOf(std::string_view request, const BatchKind& kind, const Identity& who,
                const Deny& deny) {
  Survey survey;
  FieldReader field(request);
  while (field.Next()) {
    if (!field.Is(kKeys)) continue;
    const size_t index = survey.allowed.size();
    if (index == kMaxBatchKeys) {
      survey.problem = CheckBatchSize(index + 1);
      return survey;
    }
    const Demand demand = kind.of_keys ? DemandOfKey(kind.field, field.bytes())
                                       : DemandOfRequest(kind.field, field.bytes());
    if (!demand.problem.ok()) {
      survey.problem = Malformed(kind.request);
      return survey;
    }
    // Of a key that there cannot be, the batch as a whole is refused.
    if (absl::Status status = kind.of_keys ? CheckKey(demand.name) : absl::OkStatus();
        !status.ok() && survey.problem.ok()) {
      survey.problem = AtIndex(status, index);
    }
    const bool allowed = Allows(who, demand);
    survey.allowed.push_back(allowed);
    survey.denied += !allowed;
    if (!allowed) deny(demand);
  }
  if (!field.well_formed()) survey.problem = Malformed(kind.request);
  if (survey.problem.ok()) survey.problem = CheckBatchSize(survey.allowed.size());
  return survey;
}

std::unique_ptr<PartialAnswer> AnswerBatchInPart(const BatchKind& kind, std::string_view request,
                                                 Partition partition) {
  std::string part;
  size_t index = 0;
  FieldReader field(request);
  while (field.Next()) {
    if (field.Is(kKeys) && partition.allowed[index++]) AppendField(kKeys, field.bytes(), &part);
  }
  return std::make_unique<PartialAnswer>(
      std::move(part),
      [kind, partition = std::move(partition)](const std::string& bytes, ReplyWriter* whole) {
        return kind.merge(partition, bytes, whole)
                   ? absl::OkStatus()
                   : absl::InternalError("the answer to a part of the batch could not be read");
      });
}

}  // namespace

Handler CheckedBatch(Method method, Handler plain, const AccessControl* access,
                     const CacheHandlers* cache) {
  return [method, kind = KindOf(method), plain = std::move(plain), access,
          cache](Turn* turn) -> absl::Status {
    const Identity who = access->Identify(turn->caller());
    if (who.rights->empty()) return access->Deny(who, turn->caller(), {.method = method});
    const std::string_view request = turn->request().bytes();
    Survey survey = SurveyOf(request, kind, who, [&](const Demand& demand) {
      access->Deny(who, turn->caller(),
                   {.method = method, .verbs = demand.verbs, .name = demand.name});
    });
    if (!survey.allowed.empty() && survey.denied == survey.allowed.size()) return Denied(who);
    if (!survey.problem.ok()) return survey.problem;
    if (survey.denied == 0) [[likely]]
      return plain(turn);
    if (!kind.of_keys) {
      // As a whole, before the first entry is written: a bad request changes nothing.
      v1::MSetRequest entries;
      if (!turn->request().ParseInto(&entries)) return Malformed(kind.request);
      if (absl::Status status = cache->CheckMSet(entries); !status.ok()) return status;
    }
    std::unique_ptr<PartialAnswer> answer =
        AnswerBatchInPart(kind, request, {std::move(survey.allowed), Denied(who)});
    if (absl::Status status = answer->Begin(plain, *turn); !status.ok()) return status;
    turn->Later(std::move(answer));
    return absl::OkStatus();
  };
}

}  // namespace ferrite
