#pragma once

// Verbs that tests of the Client share.

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "client/client.h"

namespace ferrite {

// A client whose retries do not delay tests.
inline std::unique_ptr<Client> ClientOf(const std::string& address, ClientOptions options = {}) {
  options.seeds = {address};
  if (options.default_timeout == ClientOptions().default_timeout) {
    options.default_timeout = absl::Seconds(60);
  }
  options.retry.initial_backoff = absl::Milliseconds(1);
  absl::StatusOr<std::unique_ptr<Client>> client = Client::Create(options);
  EXPECT_TRUE(client.ok()) << client.status();
  return *std::move(client);
}

inline v1::GetRequest GetOf(const std::string& key) {
  v1::GetRequest request;
  request.set_key(key);
  return request;
}

// Counts outcomes of asynchronous calls by whether they were CANCELLED. Thread-safe.
class Outcomes {
 public:
  template <class Response>
  void Add(const absl::StatusOr<Response>& outcome) {
    if (absl::IsCancelled(outcome.status())) cancelled_.fetch_add(1);
    all_.fetch_add(1);
    all_.notify_all();
  }
  void AwaitOne() { all_.wait(0); }

  int all() const { return all_.load(); }
  int cancelled() const { return cancelled_.load(); }

 private:
  std::atomic<int> all_{0};
  std::atomic<int> cancelled_{0};
};

}  // namespace ferrite
