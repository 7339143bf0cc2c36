// What it costs to ask whether a principal may do something to a key, by the number of prefixes
// that it may use.

#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include "server/policy/policy.h"
#include "server/policy/policy_reader.h"

namespace ferrite::policy {
namespace {

// CPU time of the process: others may be using the machine.
double CpuSeconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Names as teams give them: "service-12:" and longer.
std::string PrefixOf(size_t number) {
  return (number % 2 == 0 ? "service-" : "session:") + std::to_string(number) + ":";
}

std::string PolicyWith(size_t prefixes) {
  std::string text = "roles:\n- name: r\n  verbs: [read, write, delete]\n  key_prefixes:\n";
  for (size_t i = 0; i < prefixes; ++i) text += "  - '" + PrefixOf(i) + "'\n";
  return text + "bindings:\n- {principal: anonymous, roles: [r]}\n";
}

double NsPerDecision(size_t prefixes, double seconds) {
  const Policy policy(*ReadPolicy(PolicyWith(prefixes), "policy.yaml"));
  const Rights& rights = policy.RightsOf(kAnonymous);
  constexpr size_t kKeys = 4096;
  std::vector<std::string> keys;
  for (size_t i = 0; i < kKeys; ++i) {
    // One in eight is not allowed.
    const size_t number = i % 8 == 0 ? prefixes + i : i * 7919 % prefixes;
    keys.push_back(PrefixOf(number) + "user/" + std::to_string(i));
  }
  uint64_t asked = 0;
  uint64_t allowed = 0;
  const double begin = CpuSeconds();
  double end = begin;
  do {
    for (const std::string& key : keys) allowed += rights.MayOnKey(Verb::kRead, key);
    asked += kKeys;
    end = CpuSeconds();
  } while (end - begin < seconds);
  if (allowed * 8 != asked * 7) return -1;
  return (end - begin) * 1e9 / static_cast<double>(asked);
}

double SecondsToLoad(size_t bindings) {
  std::string text = "roles:\n- {name: r, key_prefixes: [a], verbs: [read]}\nbindings:\n";
  for (size_t i = 0; i < bindings; ++i) {
    text += "- principal: uri:spiffe://example.org/ns/shop/sa/" + std::to_string(i) +
            "\n  roles: [r]\n";
  }
  const double begin = CpuSeconds();
  const auto rules = ReadPolicy(text, "policy.yaml");
  return rules.ok() && rules->bindings.size() == bindings ? CpuSeconds() - begin : -1;
}

}  // namespace
}  // namespace ferrite::policy

// SECONDS for each.
int main(int argc, char** argv) {
  using ferrite::policy::NsPerDecision;
  const double seconds = argc > 1 ? std::stod(argv[1]) : 1;
  for (const size_t prefixes : {1, 4, 16, 256, 10'000}) {
    const double ns = NsPerDecision(prefixes, seconds);
    if (ns < 0) return 1;  // it answered wrongly
    std::printf("ratio policy_ns_of_%zu_prefixes %.1f\n", prefixes, ns);
  }
  std::printf("ratio policy_cost_ns %.1f\n", NsPerDecision(16, seconds));
  const double load = ferrite::policy::SecondsToLoad(100'000);
  if (load < 0) return 1;
  std::printf("ratio policy_load_100000_bindings_s %.2f\n", load);
}
