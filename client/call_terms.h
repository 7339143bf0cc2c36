#pragma once

// How a call is to be carried out.

#include <chrono>
#include <memory>

#include "absl/time/time.h"
#include "client/cancellation.h"
#include "client/options.h"

namespace ferrite {

class RemoteNode;

struct CallTerms {
  std::shared_ptr<RemoteNode> node;
  // What the caller gave the call, and the end of it.
  absl::Duration timeout;
  std::chrono::steady_clock::time_point deadline;
  RetryPolicy retry;
  bool repeatable = false;
  std::shared_ptr<Cancellation> cancellation;  // null: none
  // Whether it is held back if its node refuses much of what it is sent (client/acceptance.h). What
  // is not about keys, such as a question for the node's health, always goes.
  bool is_about_keys = false;

  // Until the deadline; negative after it.
  absl::Duration TimeLeft() const {
    return absl::FromChrono(deadline - std::chrono::steady_clock::now());
  }
};

}  // namespace ferrite
