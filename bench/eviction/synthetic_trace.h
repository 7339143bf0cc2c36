#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "bench/eviction/trace.h"

namespace ferrite::bench {

// A pattern of access that caches meet, in its pure form.
struct SyntheticTrace {
  std::string_view name;
  std::string_view description;
};

// All there are. F stands for how many entries fit.
const std::vector<SyntheticTrace>& SyntheticTraces();

// The mean size of the values of a trace.
size_t MeanValueBytes(std::string_view name);

// Makes `requests` requests of the trace, always the same ones, for a cache in which about
// `entries_that_fit` of its entries fit. The name must be one of the above.
Trace MakeSyntheticTrace(std::string_view name, size_t requests, size_t entries_that_fit);

}  // namespace ferrite::bench
