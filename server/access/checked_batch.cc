#include "server/access/checked_batch.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ferrite/v1/cache.pb.h"
#include "proto/wire/field_reader.h"
#include "proto/wire/field_writer.h"
#include "server/access/demand.h"
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

// Puts the outcomes of what was executed between those of what was not.
class Outcomes {
 public:
  Outcomes(const std::vector<bool>& allowed, const absl::Status& denied)
      : allowed_(allowed), denied_(denied) {}

  bool OfMGet(const std::string& bytes, ReplyWriter* reply) const {
    return Merge<v1::MGetResponse>(bytes, reply,
                                   [](v1::MGetResponse& from, int i, v1::MGetResponse* to) {
                                     v1::GetResponse* const result = to->add_results();
                                     if (i >= 0) result->Swap(from.mutable_results(i));
                                   });
  }
  bool OfMDelete(const std::string& bytes, ReplyWriter* reply) const {
    return Merge<v1::MDeleteResponse>(
        bytes, reply, [](v1::MDeleteResponse& from, int i, v1::MDeleteResponse* to) {
          to->add_deleted(i >= 0 && from.deleted(i));
        });
  }
  bool OfExists(const std::string& bytes, ReplyWriter* reply) const {
    return Merge<v1::ExistsResponse>(bytes, reply,
                                     [](v1::ExistsResponse& from, int i, v1::ExistsResponse* to) {
                                       to->add_exists(i >= 0 && from.exists(i));
                                     });
  }
  bool OfMSet(const std::string& bytes, ReplyWriter* reply) const {
    v1::MSetResponse from;
    if (!from.ParseFromString(bytes)) return false;
    v1::MSetResponse to;
    int next = 0;
    for (const bool allowed : allowed_) {
      v1::MSetResult* const result = to.add_results();
      if (!allowed) {
        CountRefusal(denied_);
        *result->mutable_error() = ToOperationError(denied_);
      } else if (next < from.results_size()) {
        result->Swap(from.mutable_results(next++));
      } else {
        return false;
      }
    }
    reply->AppendMessage(to);
    return true;
  }

 private:
  // Of responses that have a field `errors`. take(from, i, to) appends outcome i, or an empty one.
  template <typename Response, typename Take>
  bool Merge(const std::string& bytes, ReplyWriter* reply, const Take& take) const {
    Response from;
    if (!from.ParseFromString(bytes)) return false;
    Response to;
    int next = 0;
    int next_error = 0;
    for (size_t i = 0; i < allowed_.size(); ++i) {
      if (!allowed_[i]) {
        CountRefusal(denied_);
        take(from, -1, &to);
        v1::KeyError* const error = to.add_errors();
        error->set_index(static_cast<uint32_t>(i));
        *error->mutable_error() = ToOperationError(denied_);
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

  const std::vector<bool>& allowed_;
  const absl::Status& denied_;
};

struct BatchKind {
  std::string_view request;  // the type
  int field = 0;             // of Operation, for one of its keys or entries
  bool of_keys = false;
  bool (Outcomes::*merge)(const std::string& bytes, ReplyWriter* reply) const = nullptr;
};

BatchKind KindOf(Method method) {
  using v1::Operation;
  switch (method) {
    case Method::kMGet:
      return {"MGetRequest", Operation::kGetFieldNumber, true, &Outcomes::OfMGet};
    case Method::kMSet:
      return {"MSetRequest", Operation::kSetFieldNumber, false, &Outcomes::OfMSet};
    case Method::kMDelete:
      return {"MDeleteRequest", Operation::kDeleteFieldNumber, true, &Outcomes::OfMDelete};
    default:
      return {"ExistsRequest", Operation::kExistsFieldNumber, true, &Outcomes::OfExists};
  }
}

// Which keys are allowed.
struct Survey {
  absl::Status problem;  // of the batch as a whole
  std::vector<bool> allowed;
  size_t denied = 0;
};

Survey SurveyOf(std::string_view request, const BatchKind& kind, const Identity& who) {
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
  }
  if (!field.well_formed()) survey.problem = Malformed(kind.request);
  if (survey.problem.ok()) survey.problem = CheckBatchSize(survey.allowed.size());
  return survey;
}

class PartialBatch final : public Answer {
 public:
  PartialBatch(const BatchKind& kind, std::string_view request, std::vector<bool> allowed,
               absl::Status denied)
      : kind_(kind), allowed_(std::move(allowed)), denied_(std::move(denied)) {
    size_t index = 0;
    FieldReader field(request);
    while (field.Next()) {
      if (!field.Is(kKeys) || !allowed_[index++]) continue;
      const size_t begin = part_.size();
      part_.resize(begin + BytesFieldSize(kKeys, field.bytes()));
      FieldWriter(part_.data() + begin).Bytes(kKeys, field.bytes());
    }
    request_ = Request(std::string_view(part_));
  }

  absl::Status Begin(const Handler& plain, const Turn& turn) {
    Turn part(turn, request_, &reply_);
    absl::Status status = plain(&part);
    later_ = part.TakeAnswer();
    return status;
  }

  Next Advance(ReplyWriter* message, CallEnd* end) override {
    if (later_ != nullptr) {
      if (const Next next = later_->Advance(&reply_, end); next != Next::kEnd) return next;
      later_.reset();
    }
    if (!end->status.ok()) return Next::kEnd;
    const Outcomes outcomes(allowed_, denied_);
    if (!(outcomes.*kind_.merge)(TakeBytes(&reply_), message))
      end->status = absl::InternalError("the answer to a part of the batch could not be read");
    return Next::kEnd;
  }

 private:
  const BatchKind kind_;
  const std::vector<bool> allowed_;
  const absl::Status denied_;
  std::string part_;
  Request request_;
  ReplyWriter reply_;
  std::unique_ptr<Answer> later_;  // to which all of that belongs
};

}  // namespace

Handler CheckedBatch(Method method, Handler plain, const AccessControl* access,
                     const CacheHandlers* cache) {
  return
      [kind = KindOf(method), plain = std::move(plain), access, cache](Turn* turn) -> absl::Status {
        const Identity who = access->Identify(turn->caller());
        if (who.rights->empty()) return Denied(who);
        const std::string_view request = turn->request().bytes();
        Survey survey = SurveyOf(request, kind, who);
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
        auto answer =
            std::make_unique<PartialBatch>(kind, request, std::move(survey.allowed), Denied(who));
        if (absl::Status status = answer->Begin(plain, *turn); !status.ok()) return status;
        turn->Later(std::move(answer));
        return absl::OkStatus();
      };
}

}  // namespace ferrite
