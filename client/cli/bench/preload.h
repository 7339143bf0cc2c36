#pragma once

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "client/cli/bench/bench_options.h"
#include "client/client.h"

namespace ferrite::cli {

// Writes every key of the bench once. Calls `on_progress` now and then with the number of keys
// written; when that returns false, stops with CANCELLED. Fails when the server takes no more.
absl::Status Preload(Client& client, const BenchOptions& options,
                     absl::FunctionRef<bool(uint64_t done)> on_progress);

}  // namespace ferrite::cli
