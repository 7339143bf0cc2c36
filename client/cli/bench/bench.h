#pragma once

// The steps of a bench: connect, write the keys, warm up, measure.

#include "absl/status/statusor.h"
#include "client/cli/bench/bench_options.h"
#include "client/cli/bench/report.h"
#include "client/client.h"

namespace ferrite::cli {

// Runs the bench and shows its progress on stderr. Failed calls are counted and do not end it; it
// fails if the server cannot be reached or filled at the beginning. SIGINT ends it early, with the
// results so far. `client` is for the preparation and is not measured.
absl::StatusOr<BenchResult> RunBench(Client& client, const BenchOptions& options);

}  // namespace ferrite::cli
