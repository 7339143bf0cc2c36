#pragma once

// A client that makes one call after the other about any key, and writes down what it was told.

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "tests/chaos/judge.h"
#include "tests/chaos/key_service.h"

namespace ferrite {

struct CallerOptions {
  std::string prefix;  // of all keys
  // Keys that are set, read and deleted, and keys that are counted and read.
  size_t values = 48;
  size_t counters = 16;
  absl::Duration timeout = absl::Milliseconds(400);
  absl::Duration pause = absl::Milliseconds(3);  // between two calls
  int64_t start_ns = 0;                          // by the steady clock; times are counted from it

  size_t keys() const { return values + counters; }
};

// Now, for RecordedCall.
int64_t ElapsedNs(const CallerOptions& options);

class Caller {
 public:
  // `number` is another for each caller of a run.
  Caller(const CallerOptions& options, std::unique_ptr<KeyService> service, uint32_t number);

  // Calls until `stop`. Without a connection it calls nothing.
  void Run(const absl::Notification& stop);

  const std::string& way() const { return service_->way(); }
  // By key: values, then counters.
  const std::vector<std::vector<ObservedCall>>& observed() const { return observed_; }
  // How many calls failed, by their reasons.
  const std::map<std::string, uint64_t>& failures() const { return failures_; }

 private:
  void CallOnce();
  void Get(const std::string& key, ObservedCall* call);
  void Set(const std::string& key, ObservedCall* call);
  void Delete(const std::string& key, ObservedCall* call);
  void Incr(const std::string& key, ObservedCall* call);
  // Makes the call. False: it failed, and that is noted.
  template <typename Request, typename Response>
  bool Make(const Request& request, Response* response, ObservedCall* call);

  const CallerOptions options_;
  const std::unique_ptr<KeyService> service_;
  const uint64_t first_value_;
  uint64_t written_ = 0;
  std::mt19937 random_;
  std::vector<std::vector<ObservedCall>> observed_;
  std::map<std::string, uint64_t> failures_;
};

}  // namespace ferrite
