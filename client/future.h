#pragma once

// Futures of asynchronous calls.
//
//   auto reply = FutureOf<v1::GetResponse>(
//       [&](auto done) { client->GetAsync(request, {}, std::move(done)); });

#include <future>
#include <utility>

#include "absl/status/statusor.h"
#include "client/callback.h"

namespace ferrite {

template <class Response>
using Future = std::future<absl::StatusOr<Response>>;

// Calls `start` with a Callback<Response> and returns a future of its argument. Do not wait for it
// within a callback of the same client: it might never be ready.
template <class Response, class Start>
Future<Response> FutureOf(Start start) {
  std::promise<absl::StatusOr<Response>> promise;
  Future<Response> future = promise.get_future();
  start(
      Callback<Response>([promise = std::move(promise)](absl::StatusOr<Response> outcome) mutable {
        promise.set_value(std::move(outcome));
      }));
  return future;
}

}  // namespace ferrite
