#include "tests/simulation/scenario.h"

#include "tests/simulation/random.h"

namespace ferrite::simulation {

Scenario ScenarioOf(uint64_t seed) {
  Random random(seed);
  Scenario scenario{.seed = seed};
  scenario.ttl_ms = static_cast<uint32_t>(random.Between(2, 6)) * 1000;
  scenario.hosts = static_cast<int>(random.Between(1, 6));
  // Below what the margin of the right to serve allows.
  scenario.drift = random.Chance(0.7) ? 0.05 : 0;
  scenario.wall_offset_us = random.Chance(0.5) ? random.Between(0, 5'000'000) : 0;
  scenario.delay_ns = random.Between(200'000, 8 * kMs);
  if (random.Chance(0.6)) {
    scenario.spike = random.Unit() * 0.1;
    scenario.spike_ns = random.Between(50 * kMs, 2 * scenario.ttl_ns());
  }
  if (random.Chance(0.5)) scenario.loss = random.Unit() * 0.05;
  if (random.Chance(0.5)) scenario.duplication = random.Unit() * 0.1;
  scenario.trouble_every_ns = random.Between(kSecond, 8 * kSecond);
  for (int trouble = 0; trouble < static_cast<int>(Trouble::kCount); ++trouble) {
    const auto kind = static_cast<Trouble>(trouble);
    // After these an operator has to mend things, which hides the rest for a while.
    const bool drastic =
        kind == Trouble::kMapDeleted || kind == Trouble::kRestored || kind == Trouble::kMapTooNew;
    if (random.Chance(drastic ? 0.1 : 0.3)) scenario.troubles.push_back(kind);
  }
  // Who deletes ceilings has clocks left to keep versions apart, but only if they are right.
  if (std::erase(scenario.troubles, Trouble::kCeilingDeleted) > 0) {
    std::erase(scenario.troubles, Trouble::kWallStep);
    std::erase(scenario.troubles, Trouble::kMapDeleted);
    scenario.troubles.push_back(Trouble::kCeilingDeleted);
    scenario.wall_offset_us = 0;
  }
  scenario.trouble_ns = random.Between(30, 90) * kSecond;
  scenario.calm_ns = 4 * scenario.ttl_ns() + 20 * kSecond;
  scenario.most_away_ns = 2 * scenario.ttl_ns();
  scenario.call_every_ns = random.Between(20, 100) * kMs;
  return scenario;
}

}  // namespace ferrite::simulation
