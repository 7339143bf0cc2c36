#pragma once

// Merges the answers to the parts of one batch, which several nodes send concurrently.

#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "client/batch.h"
#include "client/unary_call.h"

namespace ferrite {

// Thread-safe.
template <class Response>
class BatchCall {
 public:
  // Expects `parts` calls of EndPart, which together answer `count` items; the last of them calls
  // `done`.
  BatchCall(int count, int parts, Callback<Response> done)
      : done_(std::move(done)), parts_left_(parts), outcome_(EmptyAnswers<Response>(count)) {}

  // The items at `positions` have been answered, one answer each, or have failed. The first failure
  // becomes the outcome.
  void EndPart(const std::vector<int>& positions, absl::StatusOr<Response> answer) {
    {
      MutexLock lock(&mutex_);
      if (!answer.ok()) {
        if (outcome_.ok()) outcome_ = answer.status();
      } else if (outcome_.ok()) {
        PutAnswers(*answer, positions, &*outcome_);
      }
      if (--parts_left_ > 0) return;
    }
    done_(Take());
  }

 private:
  absl::StatusOr<Response> Take() {
    MutexLock lock(&mutex_);
    return std::move(outcome_);
  }

  Callback<Response> done_;
  Mutex mutex_;
  int parts_left_ ABSL_GUARDED_BY(mutex_);
  absl::StatusOr<Response> outcome_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferrite
