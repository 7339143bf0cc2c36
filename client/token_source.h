#pragma once

// The token of this moment.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "client/token_options.h"

namespace ferrite {

// Thread-safe.
class TokenSource {
 public:
  // INVALID_ARGUMENT, with the option and the file, if there is no token in it. Null if none is
  // asked for.
  static absl::StatusOr<std::shared_ptr<TokenSource>> Make(const TokenOptions& options);

  // The value of the metadata `authorization`. Looks at the file once a second; what is no token
  // there leaves the one before it.
  std::string Authorization() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  using Clock = std::chrono::steady_clock;

  explicit TokenSource(std::string file) : file_(std::move(file)) {}
  absl::Status Read() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Take(std::string text) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string file_;  // empty: the token stays
  Mutex mutex_;
  std::string authorization_ ABSL_GUARDED_BY(mutex_);
  Clock::time_point look_at_ ABSL_GUARDED_BY(mutex_);
  int64_t changed_ns_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace ferrite
