#pragma once

// What this node shows to other nodes to say who it is: a token in a file.

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "base/mutex.h"

namespace ferrite {

// Thread-safe.
class PeerToken {
 public:
  // Empty: it shows none.
  explicit PeerToken(std::string path) : path_(std::move(path)) {}

  // Reads it for the first time. INVALID_ARGUMENT or NOT_FOUND, with the file, if there is none.
  absl::Status Load();
  // The value of the metadata `authorization`; empty if there is none. Looks whether the file has
  // changed: whoever renews it need not tell. What is no token is logged, and the one before it
  // stays.
  std::string Authorization();

 private:
  absl::Status Read() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string path_;
  Mutex mutex_;
  int64_t changed_ns_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string authorization_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferrite
