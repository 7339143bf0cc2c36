// Sends one call after another over its own connection and notes when each began and how long it
// took, so that stalls can be matched with what else happened at that time. It is one thread that
// makes blocking calls through the generated stubs and does nothing in between but pause: no caller
// is cheaper.
//
// It prints "bench-prober ready" when it has connected, and calls until its standard input ends.
// With --count it waits for the end of its input first and then makes that many calls. At the end
// it prints one line of JSON, with times of the steady clock (CLOCK_MONOTONIC) in nanoseconds.

#include <grpcpp/grpcpp.h>
#include <poll.h>
#include <sched.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ferrite/v1/cache.grpc.pb.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "nlohmann/json.hpp"

namespace ferrite::bench {
namespace {

using Health = grpc::health::v1::Health;

struct ProberOptions {
  std::string server;
  std::string ask = "get";
  std::string name = "probe";  // of its keys and request_ids
  int keys = 1000;             // used in turn: enough to reach every shard
  int value_bytes = 64;
  int pause_us = 0;
  int count = 0;  // 0: until the input ends
  bool request_ids = false;
  bool realtime = false;
};

// Makes one call. Throws if the call fails.
using Probe = std::function<void()>;

void Check(const grpc::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.error_message());
}

class Prober {
 public:
  explicit Prober(const ProberOptions& options) : options_(options) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    const auto channel =
        grpc::CreateCustomChannel(options.server, grpc::InsecureChannelCredentials(), arguments);
    if (!channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(10))) {
      throw std::runtime_error(absl::StrCat("cannot connect to ", options.server));
    }
    cache_ = v1::CacheService::NewStub(channel);
    health_ = Health::NewStub(channel);
    set_.set_value(std::string(options.value_bytes, 'v'));
  }

  // Makes the probe that --ask names. Writes the keys that the probe will read.
  Probe MakeProbe() {
    if (options_.ask == "check") return [this] { HealthCheck(); };
    if (options_.ask == "set") return [this] { Set(); };
    for (int i = 0; i < options_.keys; ++i) Set();
    return [this] { Get(); };
  }

 private:
  std::string NextKey() { return absl::StrCat(options_.name, ":", next_key_++ % options_.keys); }

  void Get() {
    grpc::ClientContext context;
    get_.set_key(NextKey());
    Check(cache_->Get(&context, get_, &got_));  // a miss is fine: something may delete the keys
  }

  void Set() {
    grpc::ClientContext context;
    set_.set_key(NextKey());
    if (options_.request_ids) {
      set_.set_request_id(absl::StrCat(options_.name, "#", getpid(), "#", next_id_++));
    }
    v1::SetResponse response;
    Check(cache_->Set(&context, set_, &response));
  }

  void HealthCheck() {
    grpc::ClientContext context;
    grpc::health::v1::HealthCheckResponse response;
    Check(health_->Check(&context, {}, &response));
  }

  const ProberOptions& options_;
  std::unique_ptr<v1::CacheService::Stub> cache_;
  std::unique_ptr<Health::Stub> health_;
  v1::GetRequest get_;
  v1::GetResponse got_;
  v1::SetRequest set_;
  uint64_t next_key_ = 0;
  uint64_t next_id_ = 0;
};

// Puts this process ahead of all others that want its cores. False if that is not permitted.
bool TakePriority() {
  const sched_param lowest = {.sched_priority = 1};
  return sched_setscheduler(0, SCHED_FIFO, &lowest) == 0;
}

// Whether the standard input has ended; waits up to `timeout_ms` for that, without limit if -1.
bool InputEnded(int timeout_ms) {
  pollfd input = {.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  return poll(&input, 1, timeout_ms) > 0;
}

int64_t NowNs() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

struct Times {
  std::vector<int64_t> begin_ns;
  std::vector<int64_t> took_ns;
};

Times Run(const ProberOptions& options, const Probe& probe) {
  Times times;
  times.begin_ns.reserve(1 << 20);
  times.took_ns.reserve(1 << 20);
  const size_t count = options.count;
  if (count > 0) InputEnded(/*timeout_ms=*/-1);
  const auto ended = [&] {
    return count > 0 ? times.begin_ns.size() >= count : InputEnded(/*timeout_ms=*/0);
  };
  while (!ended()) {
    const int64_t begin = NowNs();
    probe();
    times.begin_ns.push_back(begin);
    times.took_ns.push_back(NowNs() - begin);
    if (options.pause_us > 0) usleep(options.pause_us);
  }
  return times;
}

int Main(int argc, char** argv) {
  ProberOptions options;
  CLI::App app("Sends one call after another and reports how long each took");
  app.add_option("--server", options.server, "HOST:PORT")->required();
  app.add_option("--ask", options.ask)->check(CLI::IsMember({"get", "set", "check"}));
  app.add_option("--name", options.name, "What its keys begin with");
  app.add_option("--keys", options.keys)->check(CLI::Range(1, 1'000'000));
  app.add_option("--value-bytes", options.value_bytes)->check(CLI::Range(0, 64 << 20));
  app.add_option("--pause-us", options.pause_us, "Microseconds between calls");
  app.add_option("--count", options.count, "End after so many calls");
  app.add_flag("--request-ids", options.request_ids, "Each Set carries a request_id of its own");
  app.add_flag("--realtime", options.realtime, "Run with real-time priority, if that is allowed");
  CLI11_PARSE(app, argc, argv);

  const bool realtime = options.realtime && TakePriority();
  Prober prober(options);
  const Probe probe = prober.MakeProbe();
  std::printf("bench-prober ready\n");
  std::fflush(stdout);
  const Times times = Run(options, probe);
  const nlohmann::json json = {
      {"realtime", realtime}, {"begin_ns", times.begin_ns}, {"took_ns", times.took_ns}};
  std::printf("%s\n", json.dump().c_str());
  return 0;
}

}  // namespace
}  // namespace ferrite::bench

int main(int argc, char** argv) {
  try {
    return ferrite::bench::Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench-prober: %s\n", error.what());
    return 1;
  }
}
