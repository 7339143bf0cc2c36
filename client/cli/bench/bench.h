#pragma once

// The course of a bench: connect, write the keys, warm up, measure.

#include "absl/status/statusor.h"
#include "client/cli/bench/bench_options.h"
#include "client/cli/bench/report.h"
#include "client/client.h"

namespace ferrite::cli {

// Runs the bench, showing on stderr how far it is. Calls that fail are counted and do not end it;
// what does is a server that cannot be reached or filled to begin with. SIGINT ends it early, with
// what it has by then. `client` is for the preparation and is not measured.
absl::StatusOr<BenchResult> RunBench(Client& client, const BenchOptions& options);

}  // namespace ferrite::cli
