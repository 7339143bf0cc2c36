// Calls a cluster through the client library, with nothing but calls that may be repeated, until
// its input ends; then it tells how many of them failed, and why.

#include <atomic>
#include <cstdio>
#include <iostream>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "CLI/CLI.hpp"
#include "client/client.h"
#include "client/retry.h"
#include "nlohmann/json.hpp"

namespace ferrite {
namespace {

constexpr uint32_t kKeys = 3000;

struct Tally {
  uint64_t calls = 0;
  absl::Duration longest = absl::ZeroDuration();
  std::map<std::string, uint64_t> failures;  // by their messages
};

void CallUntil(Client* client, const std::atomic<bool>& stop, uint32_t seed, Tally* tally) {
  std::mt19937 random(seed);
  const std::string value(64, 'v');
  while (!stop) {
    const std::string key = "key" + std::to_string(random() % kKeys);
    const absl::Time start = absl::Now();
    absl::Status status;
    switch (random() % 8) {
      case 0: {
        v1::IncrRequest request;
        request.set_key("n" + key);
        request.set_request_id(NewRequestId());
        status = client->Incr(request).status();
        break;
      }
      case 1: {
        v1::MGetRequest request;
        for (int i = 0; i < 16; ++i) request.add_keys("key" + std::to_string(random() % kKeys));
        status = client->MGet(request).status();
        break;
      }
      case 2:
      case 3: {
        v1::SetRequest request;
        request.set_key(key);
        request.set_value(value);
        status = client->Set(request).status();
        break;
      }
      default:
        status = client->Get(key).status();
    }
    ++tally->calls;
    tally->longest = std::max(tally->longest, absl::Now() - start);
    if (!status.ok()) ++tally->failures[status.ToString()];
  }
}

int Run(const ClientOptions& options, uint32_t callers) {
  const auto client = Client::Create(options);
  if (!client.ok()) {
    std::fprintf(stderr, "bench-restart-load: %s\n", client.status().ToString().c_str());
    return 1;
  }
  std::atomic<bool> stop = false;
  std::vector<Tally> tallies(callers);
  std::vector<std::thread> threads;
  for (uint32_t caller = 0; caller < callers; ++caller) {
    threads.emplace_back([&, caller] { CallUntil(client->get(), stop, caller, &tallies[caller]); });
  }
  for (std::string line; std::getline(std::cin, line);) continue;
  stop = true;
  for (std::thread& thread : threads) thread.join();
  Tally all;
  uint64_t failed = 0;
  for (const Tally& tally : tallies) {
    all.calls += tally.calls;
    all.longest = std::max(all.longest, tally.longest);
    for (const auto& [message, count] : tally.failures) {
      all.failures[message] += count;
      failed += count;
    }
  }
  const nlohmann::json report = {{"calls", all.calls},
                                 {"failed", failed},
                                 {"failures", all.failures},
                                 {"longest_call_s", absl::ToDoubleSeconds(all.longest)}};
  std::puts(report.dump().c_str());
  return 0;
}

}  // namespace
}  // namespace ferrite

int main(int argc, char** argv) {
  ferrite::ClientOptions options;
  double timeout_s = 5;
  uint32_t callers = 8;
  CLI::App app("Calls a cluster through the client library until its input ends.");
  app.add_option("--seeds", options.seeds, "addresses of nodes")->delimiter(',')->required();
  app.add_option("--timeout", timeout_s, "of a call, in seconds");
  app.add_option("--callers", callers, "threads that call");
  CLI11_PARSE(app, argc, argv);
  options.default_timeout = absl::Seconds(timeout_s);
  return ferrite::Run(options, callers);
}
