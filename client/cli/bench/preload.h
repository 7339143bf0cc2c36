#pragma once

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "client/cli/bench/bench_options.h"
#include "client/client.h"

namespace ferrite::cli {

// Writes every key of the bench once. Calls `on_progress` repeatedly with the number of keys
// written; when it returns false, stops with CANCELLED. Fails if the server refuses a write.
absl::Status Preload(Client& client, const BenchOptions& options,
                     absl::FunctionRef<bool(uint64_t done)> on_progress);

}  // namespace ferrite::cli
