// Worlds in which everything goes wrong that can.

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/simulation/fault_names.h"
#include "tests/simulation/world.h"

namespace ferrite::simulation {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kSeedsInOne = 50;
constexpr size_t kLines = 60;  // of a history, that are shown

class Seeds : public ::testing::TestWithParam<uint64_t> {};

TEST_P(Seeds, HoldAllThatMustHold) {
  uint64_t checked = 0;
  for (uint64_t seed = GetParam() + 1; seed <= GetParam() + kSeedsInOne; ++seed) {
    const Scenario scenario = ScenarioOf(seed);
    History history(/*records=*/false);
    const Result result = RunScenario(scenario, &history);
    ASSERT_FALSE(result.violation) << Explain(scenario, result, kLines);
    checked += result.writes + result.reads;
  }
  EXPECT_GT(checked, kSeedsInOne * 100);
}

INSTANTIATE_TEST_SUITE_P(Simulation, Seeds, ::testing::Range<uint64_t>(0, 300, kSeedsInOne));

// 7245: a node whose record somebody had overwritten took it for a proof, before it had written its
// own again; others took the process for gone.
TEST(Simulation, SeedsThatOnceFailedHold) {
  for (const uint64_t seed : {7245}) {
    History history(/*records=*/false);
    const Result result = RunScenario(ScenarioOf(seed), &history);
    ASSERT_FALSE(result.violation) << Explain(ScenarioOf(seed), result, kLines);
  }
}

TEST(Simulation, ASeedRepeatsExactly) {
  for (const uint64_t seed : {3, 14, 21}) {
    History first(/*records=*/true);
    History second(/*records=*/true);
    RunScenario(ScenarioOf(seed), &first);
    RunScenario(ScenarioOf(seed), &second);
    ASSERT_GT(first.lines().size(), 1000u);
    ASSERT_EQ(first.lines(), second.lines());
    // Nor does it matter whether anybody takes notes.
    History none(/*records=*/false);
    RunScenario(ScenarioOf(seed), &none);
    ASSERT_TRUE(none.lines().empty());
  }
}

// Each fault alone must show, and not as mere unavailability.
class PlantedFault : public ::testing::TestWithParam<std::string> {};

TEST_P(PlantedFault, IsFound) {
  constexpr uint64_t kMost = 2000;
  for (uint64_t seed = 1; seed <= kMost; ++seed) {
    const Scenario scenario = ScenarioWithFault(seed, GetParam());
    History history(/*records=*/false);
    const Result result = RunScenario(scenario, &history);
    if (!result.violation) continue;
    RecordProperty("seeds", static_cast<int>(seed));
    // Whoever looks for the reason gets what they need, and the same once more.
    const std::string told = Explain(scenario, result, kLines);
    EXPECT_THAT(told, HasSubstr(*result.violation));
    EXPECT_THAT(told, HasSubstr("--seed " + std::to_string(seed)));
    EXPECT_THAT(told, Not(HasSubstr("it ended otherwise")));
    return;
  }
  FAIL() << "not found in " << kMost << " seeds";
}

INSTANTIATE_TEST_SUITE_P(Simulation, PlantedFault, ::testing::ValuesIn(FaultNames()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace ferrite::simulation
