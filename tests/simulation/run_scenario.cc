#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "tests/simulation/troubles.h"
#include "tests/simulation/world.h"

namespace ferrite::simulation {

Result RunScenario(const Scenario& scenario, History* history) {
  World world(scenario, history);
  Troubles troubles(&world);
  troubles.MakeUntil(scenario.trouble_ns);
  if (world.RunUntil(scenario.trouble_ns)) {
    troubles.Mend();
    // Some troubles take longer than others to be over.
    int64_t end_ns = 0;
    do {
      end_ns = std::max(scenario.trouble_ns, world.whole_from_ns()) + scenario.calm_ns;
    } while (world.RunUntil(end_ns) && world.whole_from_ns() > world.now_ns());
    world.CheckWhole();
    world.CheckEven();
  }
  const Checker& checker = world.checker();
  return {.violation = checker.violation(),
          .kind = checker.kind(),
          .end_ns = world.now_ns(),
          .steps = world.steps(),
          .writes = checker.writes(),
          .reads = checker.reads(),
          .calls = world.network().calls()};
}

std::string Explain(const Scenario& scenario, const Result& outcome, size_t lines) {
  History history(/*records=*/true);
  const Result again = RunScenario(scenario, &history);
  std::string text = absl::StrFormat("seed %d, after %.4f s of its time: %s\n", scenario.seed,
                                     static_cast<double>(outcome.end_ns) / 1e9,
                                     outcome.violation.value_or("nothing failed"));
  if (again.violation != outcome.violation || again.steps != outcome.steps)
    text += absl::StrFormat("run again, it ended otherwise: %s\n",
                            again.violation.value_or("nothing failed"));
  const auto& all = history.lines();
  for (size_t line = all.size() - std::min(lines, all.size()); line < all.size(); ++line)
    text += all[line] + "\n";
  return text +
         absl::StrFormat("to see all of it: build/release/bin/ferrite-sim --seed %d --history\n",
                         scenario.seed);
}

}  // namespace ferrite::simulation
