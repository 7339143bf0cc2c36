#include "tests/simulation/fault_names.h"

#include <algorithm>

#include "base/check.h"

namespace ferrite::simulation {

using cluster::Faults;

namespace {

struct PlantedFault {
  const char* name;
  bool Faults::*fault;
  // In which it shows.
  Trouble trouble;
  Trouble other = trouble;
};

constexpr PlantedFault kFaults[] = {
    {"right_from_answer", &Faults::right_from_answer, Trouble::kKeyDeleted, Trouble::kSlowness},
    {"keepalive_is_proof", &Faults::keepalive_is_proof, Trouble::kKeyDeleted},
    {"silence_is_consent", &Faults::silence_is_consent, Trouble::kCut},
    {"renewal_without_map", &Faults::renewal_without_map, Trouble::kRebalance},
    {"no_margin", &Faults::no_margin, Trouble::kKeyDeleted},
    {"watch_believed", &Faults::watch_believed, Trouble::kWatch},
    {"change_repeated", &Faults::change_repeated, Trouble::kSlowness},
    {"no_wait", &Faults::no_wait, Trouble::kCut},
    {"compare_left_out", &Faults::compare_left_out, Trouble::kBadMoment},
    {"return_unnoticed", &Faults::return_unnoticed, Trouble::kKeyFlaps},
    {"release_not_awaited", &Faults::release_not_awaited, Trouble::kJoin},
    {"released_too_soon", &Faults::released_too_soon, Trouble::kJoin},
    {"ceiling_ignored", &Faults::ceiling_ignored, Trouble::kWallStep},
    {"floor_not_raised", &Faults::floor_not_raised, Trouble::kWallStep},
    {"versions_unlimited", &Faults::versions_unlimited, Trouble::kWallStep},
    {"epoch_back_accepted", &Faults::epoch_back_accepted, Trouble::kRestored},
    {"foreign_data_kept", &Faults::foreign_data_kept, Trouble::kJoin},
    {"drop_not_awaited", &Faults::drop_not_awaited, Trouble::kDrain},
    {"boot_ignored", &Faults::boot_ignored, Trouble::kCrash},
    {"second_map_at_once", &Faults::second_map_at_once, Trouble::kMapDeleted},
};
// None is forgotten here.
static_assert(std::size(kFaults) == sizeof(Faults) / sizeof(bool));

}  // namespace

std::vector<std::string> FaultNames() {
  std::vector<std::string> names;
  for (const PlantedFault& fault : kFaults) names.emplace_back(fault.name);
  return names;
}

Scenario ScenarioWithFault(uint64_t seed, const std::string& name) {
  const auto* fault =
      std::find_if(std::begin(kFaults), std::end(kFaults),
                   [&name](const PlantedFault& known) { return name == known.name; });
  FERRITE_CHECK(fault != std::end(kFaults));
  Scenario scenario = ScenarioOf(seed);
  scenario.faults.*(fault->fault) = true;
  scenario.wants_availability = false;
  scenario.troubles.insert(scenario.troubles.end(), {fault->trouble, fault->other});
  return scenario;
}

}  // namespace ferrite::simulation
