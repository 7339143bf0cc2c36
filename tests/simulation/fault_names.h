#pragma once

// The faults that can be planted, by name.

#include <cstdint>
#include <string>
#include <vector>

#include "tests/simulation/scenario.h"

namespace ferrite::simulation {

std::vector<std::string> FaultNames();
// The scenario of this seed with the fault of this name, which must be one of them; with the kind
// of trouble in which it shows, and without looking for mere unavailability.
Scenario ScenarioWithFault(uint64_t seed, const std::string& name);

}  // namespace ferrite::simulation
