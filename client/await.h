#pragma once

// Waits for the outcome of an asynchronous call.

#include <atomic>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/completion_thread.h"

namespace ferrite {

// Calls `start` with a callback and returns what the callback is given. On a completion thread it
// fails instead, since the callback might be waiting for that very thread.
template <class Response, class Start>
absl::StatusOr<Response> Await(Start start) {
  if (CompletionThread::IsCurrent()) {
    return absl::FailedPreconditionError(
        "a synchronous call was made within a callback; use its Async form there");
  }
  // Shared, because the callback may still touch it when the waiter is already awake. The flag has
  // the size of a futex, so that every waiter has one of its own; flags of other sizes share
  // futexes by hash.
  struct Outcome {
    std::atomic<int> ready{0};
    std::optional<absl::StatusOr<Response>> response;
  };
  auto outcome = std::make_shared<Outcome>();
  start([outcome](absl::StatusOr<Response> response) {
    outcome->response.emplace(std::move(response));
    outcome->ready.store(1);
    outcome->ready.notify_one();
  });
  outcome->ready.wait(0);
  return *std::move(outcome->response);
}

}  // namespace ferrite
