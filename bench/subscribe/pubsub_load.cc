// Subscribes to one channel of Ferrite or Redis many times and publishes to it, from one thread and
// with as little work as possible. Prints "ready" when all subscriptions are active, begins when it
// reads a line from standard input, and prints one JSON line at the end. Without publishers it only
// listens, until standard input ends.

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "bench/subscribe/audience.h"
#include "bench/subscribe/connection.h"
#include "bench/subscribe/load_options.h"
#include "bench/subscribe/publishers.h"
#include "bench/subscribe/stamp.h"
#include "nlohmann/json.hpp"

namespace ferrite::bench {
namespace {

constexpr int kPatienceMs = 3000;  // how long to wait for missing messages

// Standard input: a line says "begin", its end says "end".
class Cue final : private Waiter {
 public:
  explicit Cue(Poll* poll) : poll_(*poll) { poll_.Add(STDIN_FILENO, EPOLLIN, this); }

  bool begun() const { return begun_; }
  bool ended() const { return ended_; }

 private:
  void OnReady(uint32_t) override {
    char line[16];
    begun_ = true;
    if (read(STDIN_FILENO, line, sizeof(line)) > 0) return;
    ended_ = true;
    poll_.Remove(STDIN_FILENO);
  }

  Poll& poll_;
  bool begun_ = false;
  bool ended_ = false;
};

nlohmann::ordered_json Percentiles(const cli::LatencyRecorder& recorder) {
  cli::Latencies latencies;
  latencies.Add(recorder);
  return {{"p50", absl::ToDoubleMicroseconds(latencies.Percentile(0.5))},
          {"p99", absl::ToDoubleMicroseconds(latencies.Percentile(0.99))}};
}

double CpuSeconds() {
  rusage used;
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

nlohmann::ordered_json Run(const LoadOptions& options) {
  Poll poll;
  Audience audience(options, &poll);
  Publishers publishers(options, &audience, &poll);
  while (!audience.complete()) {
    if (!poll.Wait(kPatienceMs)) throw std::runtime_error("not all subscriptions were answered");
  }
  Cue cue(&poll);
  std::puts("ready");
  std::fflush(stdout);
  while (!cue.begun()) poll.Wait(-1);

  const Clock::time_point start = Clock::now();
  const double cpu = CpuSeconds();
  publishers.Start();
  if (options.publishers == 0) {
    while (!cue.ended()) poll.Wait(-1);
  }
  while (publishers.Continue()) poll.Wait(1);
  const uint64_t due = publishers.published() * static_cast<uint64_t>(options.subscribers);
  while (audience.received() < due && poll.Wait(kPatienceMs)) continue;
  return {{"seconds", std::chrono::duration<double>(Clock::now() - start).count()},
          {"cpu_seconds", CpuSeconds() - cpu},
          {"published", publishers.published()},
          {"received", audience.received()},
          {"missing", options.publishers == 0 ? 0 : audience.Missing(publishers.published())},
          {"gaps", audience.gaps()},
          {"latency_us", Percentiles(audience.latency())},
          {"publish_us", Percentiles(publishers.latency())}};
}

int Main(int argc, char** argv) {
  LoadOptions options;
  CLI::App app("Publishes and subscribes on 127.0.0.1");
  app.add_option("--protocol", options.protocol)->check(CLI::IsMember({"ferrite", "redis"}));
  app.add_option("--port", options.port)->required();
  app.add_option("--channel", options.topic.channel);
  app.add_option("--key-prefix", options.topic.key_prefix,
                 "Subscribe to events of these keys instead");
  app.add_flag("--with-values", options.topic.with_values, "Events with values");
  app.add_option("--subscribers", options.subscribers)->check(CLI::Range(0, 100'000));
  app.add_option("--streams", options.streams, "Subscriptions on a connection");
  app.add_flag("--stalled", options.stalled, "The subscribers of Ferrite do not read");
  app.add_option("--publishers", options.publishers, "Connections")->check(CLI::Range(0, 1000));
  app.add_option("--burst", options.burst, "Messages that travel together")
      ->check(CLI::Range(1, 1024));
  app.add_option("--rate", options.rate, "Messages per second; 0: as fast as they are answered");
  app.add_option("--duration", options.seconds, "Seconds");
  app.add_option("--payload", options.payload_bytes)->check(CLI::Range(16, 16'000));
  app.add_option("--most-behind", options.most_behind,
                 "Messages that the subscribers may be behind before publishers wait for them");
  CLI11_PARSE(app, argc, argv);
  if (!options.topic.key_prefix.empty()) options.topic.channel.clear();

  prctl(PR_SET_TIMERSLACK, 1);
  std::printf("%s\n", Run(options).dump().c_str());
  return 0;
}

}  // namespace
}  // namespace ferrite::bench

int main(int argc, char** argv) {
  try {
    return ferrite::bench::Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench-pubsub-load: %s\n", error.what());
    return 1;
  }
}
