#pragma once

// How a call is to be carried out.

#include <chrono>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "client/cancellation.h"
#include "client/options.h"
#include "client/topology/call_route.h"

namespace ferrite {

class NodeDirectory;

struct CallTerms {
  // Where it goes, and who knows the nodes; the directory outlives the call.
  NodeDirectory* nodes = nullptr;
  CallRoute route;
  // How long the caller allows the call to take, and when that time is over.
  absl::Duration timeout;
  std::chrono::steady_clock::time_point deadline;
  RetryPolicy retry;
  bool repeatable = false;
  // Whether a try that has failed may have been executed.
  bool may_be_done = false;
  std::shared_ptr<Cancellation> cancellation;  // null: none
  // Whether the call may be held back while its node refuses much of its load
  // (client/acceptance.h). Calls that are not about keys, such as health checks, are always sent.
  bool is_about_keys = false;

  std::string traceparent = {};  // empty: none

  // How long to wait before the first try.
  absl::Duration pause = absl::ZeroDuration();

  // Until the deadline; negative after it.
  absl::Duration TimeLeft() const {
    return absl::FromChrono(deadline - std::chrono::steady_clock::now());
  }
};

}  // namespace ferrite
