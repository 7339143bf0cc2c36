#pragma once

// A bench at a given rate: the measured part of RunBench with options.rate.

#include <memory>
#include <vector>

#include "client/cli/bench/bench_options.h"
#include "client/cli/bench/report.h"
#include "client/cli/interrupt.h"
#include "grpcpp/channel.h"

namespace ferrite::cli {

// Offers load for the warm-up and the duration, then waits for the calls in flight.
BenchResult MeasureOpen(const BenchOptions& options,
                        const std::vector<std::shared_ptr<grpc::Channel>>& channels,
                        const InterruptFlag& interrupt);

}  // namespace ferrite::cli
