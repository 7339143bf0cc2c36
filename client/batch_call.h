#pragma once

// A batch whose keys belong to several nodes. Each node gets its part, all at the same time; the
// answers are put together in the order of the request.
//
// Each key has an outcome of its own. If the call to a node fails in a way that concerns the node
// alone, only its keys fail. A key that nobody serves for now is asked for again, as a call of its
// own would be, as long as there is time.

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "client/batch.h"
#include "client/call_terms.h"
#include "client/callback.h"
#include "client/repeatable.h"
#include "client/retry.h"
#include "client/slot_error.h"
#include "client/slot_map.h"
#include "client/topology/picture.h"
#include "proto/slot.h"

namespace ferrite {

// Whether a call that failed so says nothing about the calls to other nodes of the same batch.
inline bool ConcernsOneNode(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         (absl::IsResourceExhausted(status) && ReasonOf(status) == "OVERLOADED");
}

// Thread-safe.
template <class Request, class Response>
class BatchCall : public std::enable_shared_from_this<BatchCall<Request, Response>> {
 public:
  struct Surroundings {
    // The newest; not null.
    std::function<std::shared_ptr<const Picture>()> picture;
    // Sends one part, whose outcome has as many items.
    std::function<void(CallTerms terms, Request part, Callback<Response> done)> send;
  };

  // `request` has at least one item. The terms are those of each part, but for their routes.
  static void Start(Request request, CallTerms terms, Surroundings around,
                    Callback<Response> done) {
    std::shared_ptr<BatchCall> batch(
        new BatchCall(std::move(request), std::move(terms), std::move(around), std::move(done)));
    std::vector<int> all(BatchItems(batch->request_).size());
    for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int>(i);
    batch->Send(all, Round());
  }

 private:
  BatchCall(Request request, CallTerms terms, Surroundings around, Callback<Response> done)
      : request_(std::move(request)),
        terms_(std::move(terms)),
        around_(std::move(around)),
        done_(std::move(done)),
        outcome_(EmptyAnswers<Response>(BatchItems(request_).size())) {}

  // One of the times that keys are sent.
  struct Round {
    int attempts = 1;          // this one included
    absl::Duration pause;      // before it
    bool may_be_done = false;  // any of them, by an earlier one
  };

  const std::string& KeyAt(int position) { return KeyOf(BatchItems(request_)[position]); }

  void Send(const std::vector<int>& positions, const Round& round) {
    const std::vector<BatchPart> parts =
        SplitByNode(around_.picture()->slots(), static_cast<int>(positions.size()),
                    [&](int i) -> std::string_view { return KeyAt(positions[i]); });
    {
      MutexLock lock(&mutex_);
      parts_left_ += parts.size();
    }
    for (const BatchPart& part : parts) {
      std::vector<int> places;
      for (const int i : part.positions) places.push_back(positions[i]);
      Request part_request = CopyItems(request_, places);
      CallTerms terms = terms_;
      terms.route = {.to = CallRoute::To::kNearOwner, .slot = SlotOf(KeyAt(places[0]))};
      terms.repeatable = IsRepeatable(part_request);
      terms.may_be_done = round.may_be_done;
      terms.pause = round.pause;
      around_.send(std::move(terms), std::move(part_request),
                   [self = this->shared_from_this(), places = std::move(places),
                    round](auto answer) { self->EndPart(places, round, std::move(answer)); });
    }
  }

  void EndPart(const std::vector<int>& places, const Round& round,
               absl::StatusOr<Response> answer) {
    KeyErrors errors;
    if (answer.ok()) {
      errors = TakeErrors(&*answer);
    } else if (ConcernsOneNode(answer.status())) {
      for (size_t i = 0; i < places.size(); ++i) {
        errors.emplace_back(i, ToOperationError(answer.status()));
      }
    }
    std::vector<int> again;
    Round next = {.attempts = round.attempts + 1, .may_be_done = round.may_be_done};
    // A part that failed as a whole has been tried as often as it may.
    if (answer.ok()) TakeRepeatable(places, round, &errors, &again, &next);
    Put(places, std::move(answer), std::move(errors));
    if (!again.empty()) Send(again, next);
    bool is_over;
    {
      MutexLock lock(&mutex_);
      is_over = --parts_left_ == 0;
    }
    if (is_over) done_(Take());
  }

  // Takes out of `errors` those of keys that are to be asked for again, in `next`.
  void TakeRepeatable(const std::vector<int>& places, const Round& round, KeyErrors* errors,
                      std::vector<int>* again, Round* next) {
    KeyErrors rest;
    for (auto& [i, error] : *errors) {
      if (i < 0 || i >= static_cast<int>(places.size())) continue;  // there is no such key
      const std::optional<absl::Duration> delay = DelayAfter(places[i], round.attempts, error);
      if (delay.has_value()) {
        again->push_back(places[i]);
        next->pause = std::max(next->pause, *delay);
        next->may_be_done |= MayBeDone(error);
      } else {
        if (round.may_be_done) error = ToOperationError(AfterLostTry(ToAbslStatus(error)));
        rest.emplace_back(i, std::move(error));
      }
    }
    *errors = std::move(rest);
  }

  std::optional<absl::Duration> DelayAfter(int position, int attempts,
                                           const v1::OperationError& error) {
    if (SlotErrorIn(error).kind != SlotError::Kind::kAway) return std::nullopt;
    std::string pushback = absl::StrCat(error.retry_pushback_ms());
    FailedAttempt failed = {
        .attempts = attempts,
        .repeatable = !MayBeDone(error) || IsRepeatable(CopyItems(request_, {position})),
        .code = absl::StatusCode::kUnavailable,
        .time_left = terms_.TimeLeft(),
        .patient = true};
    if (error.has_retry_pushback_ms()) failed.pushback = pushback;
    return RetryDelay(terms_.retry, failed, RandomChance());
  }

  void Put(const std::vector<int>& places, absl::StatusOr<Response> answer, KeyErrors errors) {
    MutexLock lock(&mutex_);
    if (!outcome_.ok()) return;
    if (!answer.ok() && errors.empty()) {
      outcome_ = answer.status();
      return;
    }
    if (answer.ok()) PutAnswers(*answer, places, &*outcome_);
    for (auto& [i, error] : errors) PutError(places[i], std::move(error), &*outcome_);
  }

  absl::StatusOr<Response> Take() {
    MutexLock lock(&mutex_);
    if (!outcome_.ok()) return outcome_.status();
    return Finished(*std::move(outcome_));
  }

  Request request_;
  const CallTerms terms_;
  const Surroundings around_;
  Callback<Response> done_;
  Mutex mutex_;
  size_t parts_left_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::StatusOr<Response> outcome_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferrite
