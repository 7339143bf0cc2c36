#include <algorithm>
#include <limits>
#include <thread>

#include "absl/strings/str_cat.h"
#include "client/cli/bench/bench.h"
#include "client/cli/bench/workload.h"
#include "client/cli/commands.h"
#include "client/cli/options.h"
#include "client/cli/server_address.h"
#include "client/cli/usage.h"

namespace ferrite::cli {
namespace {

constexpr int kDefaultBatch = 64;
constexpr absl::Duration kLongestRun = absl::Hours(24 * 365);

struct BenchArguments {
  std::string op = "get";
  std::optional<std::string> mode;
  std::string distribution = "uniform";
  std::string arrivals = "poisson";
  double zipf_theta = 0.99;
  std::optional<int> batch;
  std::optional<int> in_flight;
  std::optional<int> threads;
  std::optional<absl::Duration> warmup;
  std::optional<absl::Duration> duration;
  bool no_preload = false;
  BenchOptions options;
};

BenchOp OpNamed(const std::string& name) {
  if (name == "set") return BenchOp::kSet;
  if (name == "incr") return BenchOp::kIncr;
  if (name == "mixed") return BenchOp::kMixed;
  return BenchOp::kGet;
}

// "mget" was an operation before it became a mode.
constexpr char kOldMGet[] = "mget";

BenchMode ModeOf(const BenchArguments& arguments) {
  if (!arguments.mode.has_value()) {
    return arguments.op == kOldMGet || arguments.batch.value_or(1) > 1 ? BenchMode::kMGet
                                                                       : BenchMode::kUnary;
  }
  if (*arguments.mode == "mget") return BenchMode::kMGet;
  if (*arguments.mode == "pipeline") return BenchMode::kPipeline;
  if (*arguments.mode == "auto") return BenchMode::kAuto;
  return BenchMode::kUnary;
}

absl::Status CheckMode(const BenchArguments& arguments, const BenchOptions& options) {
  if (options.mode == BenchMode::kUnary && options.batch > 1) {
    return WrongUse("--batch does not go with --mode unary");
  }
  if (options.mode != BenchMode::kMGet && arguments.op == kOldMGet) {
    return WrongUse("--op mget goes with --mode mget only; write --op get");
  }
  const bool in_batches = options.mode == BenchMode::kAuto && options.batch > 1;
  if ((options.mode == BenchMode::kMGet || in_batches) && options.op == BenchOp::kIncr) {
    return WrongUse(absl::StrCat("--op incr goes with --mode unary or pipeline",
                                 in_batches ? ", or auto without --batch" : ""));
  }
  if (options.mode == BenchMode::kPipeline && options.rate.has_value()) {
    return WrongUse("--rate goes with --mode unary, mget or auto");
  }
  if (options.mode == BenchMode::kAuto && options.rate.has_value() &&
      arguments.in_flight.has_value()) {
    return WrongUse(
        "--in-flight does not go with --mode auto and --rate: nothing holds a call up there");
  }
  return absl::OkStatus();
}

int DefaultThreads(const BenchOptions& options) {
  // Leaves at least half of the cores to a server on the same machine.
  const int half = static_cast<int>(std::thread::hardware_concurrency() / 2);
  return std::clamp(half, 1, options.connections);
}

absl::StatusOr<BenchOptions> MakeBenchOptions(const Session& session,
                                              const BenchArguments& arguments) {
  BenchOptions options = arguments.options;
  options.servers = SplitAddresses(session.servers);
  options.server = session.Server();
  options.tls = session.tls;
  options.token = session.token;
  options.name_space = session.name_space;
  options.credentials = session.credentials();
  options.call_timeout = session.timeout_or_default();
  options.op = OpNamed(arguments.op);
  options.mode = ModeOf(arguments);
  options.batch = arguments.batch.value_or(
      options.mode == BenchMode::kMGet || options.mode == BenchMode::kPipeline ? kDefaultBatch : 1);
  if (absl::Status status = CheckMode(arguments, options); !status.ok()) return status;
  options.threads = arguments.threads.value_or(DefaultThreads(options));
  options.in_flight = arguments.in_flight.value_or(options.rate.has_value() ? 1024 : 16);
  if (arguments.arrivals == "constant") options.arrivals = ArrivalKind::kConstant;
  if (arguments.distribution == "zipf") options.zipf_theta = arguments.zipf_theta;
  if (arguments.warmup.has_value()) options.warmup = *arguments.warmup;
  if (arguments.duration.has_value()) options.duration = *arguments.duration;
  options.preload = !arguments.no_preload;
  if (options.threads > options.connections) {
    return WrongUse("--threads must not exceed --connections: each thread needs one");
  }
  if (options.key_size < LeastKeySize(options.keys)) {
    return WrongUse(absl::StrCat("--key-size must be at least ", LeastKeySize(options.keys),
                                 " to name ", options.keys, " keys"));
  }
  return options;
}

absl::StatusOr<ExitCode> RunBenchCommand(Session& session, const BenchArguments& arguments) {
  const absl::StatusOr<BenchOptions> options = MakeBenchOptions(session, arguments);
  if (!options.ok()) return options.status();
  const absl::StatusOr<Client*> client = session.Connect();
  if (!client.ok()) return client.status();
  const absl::StatusOr<BenchResult> result = RunBench(**client, *options);
  if (!result.ok()) return result.status();
  session.json ? PrintJson(RenderJson(*options, *result))
               : PrintLine(RenderTable(*options, *result));
  if (const std::string failures = FailuresOf(*result); !failures.empty()) {
    PrintNote("ferrite: " + failures);
    return ExitCode::kError;
  }
  return result->Sum().calls() > 0 || result->interrupted ? ExitCode::kOk : ExitCode::kError;
}

}  // namespace

void AddBench(CLI::App& app, Session& session) {
  auto bench = std::make_shared<BenchArguments>();
  BenchOptions& options = bench->options;
  CLI::App* command =
      AddCommand(app, session, "bench", "Load the server and measure it", bench, RunBenchCommand);
  const auto add = [&](const char* name, auto& value, const char* description, auto least,
                       auto most) {
    return AddNumber<decltype(least)>(command, name, &value, description, least, most);
  };
  command->add_option("--op", bench->op, "What to do")
      ->check(CLI::IsMember({"get", "set", "incr", "mixed", "mget"}))
      ->capture_default_str();
  add("--read-ratio", options.read_ratio, "The share of reads, for --op mixed", 0.0, 1.0);
  command
      ->add_option(
          "--mode", bench->mode,
          "How operations travel: each in a call, in calls of MGet and MSet, or in frames "
          "of Pipeline, or (auto) through the C++ library, which makes frames of concurrent "
          "calls; unary if not given, or mget with --batch or --op mget")
      ->check(CLI::IsMember({"unary", "mget", "pipeline", "auto"}));
  add("--batch", bench->batch,
      "Operations in a call or frame; 64 if not given, 1 with unary and auto", 1, 1024);
  add("--connections", options.connections, "Connections", 1, 10'000);
  add("--in-flight", bench->in_flight,
      "Calls or frames in flight on each connection, 16 if not given; with --rate the most, 1024, "
      "but not with --mode auto",
      1, 10'000);
  add("--threads", bench->threads, "Threads that make the calls; half of the cores if not given", 1,
      256);
  add("--keys", options.keys, "How many keys there are", uint64_t{1}, uint64_t{10'000'000'000});
  AddBytes(command, "--key-size", &options.key_size, "The size of a key", 2, 4 << 10);
  AddBytes(command, "--value-size", &options.value_size, "The size of a value, such as 1KiB", 0,
           64 << 20);
  command->add_option("--distribution", bench->distribution, "How keys are drawn")
      ->check(CLI::IsMember({"uniform", "zipf"}))
      ->capture_default_str();
  add("--zipf-theta", bench->zipf_theta, "The exponent of Zipf's law", 0.01, 5.0);
  command->add_flag("--no-preload", bench->no_preload, "Do not write the keys before reading them");
  AddDuration(command, "--warmup", &bench->warmup,
              "How long to run before counting; 1s if not given", absl::ZeroDuration(),
              kLongestRun);
  CLI::Option* duration =
      AddDuration(command, "--duration", &bench->duration, "How long to count; 10s if not given",
                  absl::Milliseconds(1), kLongestRun);
  CLI::Option* count = add("--count", options.count, "Count this many calls or frames instead",
                           uint64_t{1}, std::numeric_limits<uint64_t>::max())
                           ->excludes(duration);
  add("--rate", options.rate,
      "Start this many calls a second in all, whether or not others have ended (open loop)", 0.1,
      10'000'000.0)
      ->excludes(count);
  command->add_option("--arrivals", bench->arrivals, "With --rate: how the calls are spaced")
      ->check(CLI::IsMember({"poisson", "constant"}))
      ->capture_default_str();
}

}  // namespace ferrite::cli
