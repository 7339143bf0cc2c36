#include "server/door.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/admission/pushback.h"
#include "server/call/method.h"
#include "server/call/request.h"
#include "server/call/status.h"
#include "server/metrics/refusals.h"

namespace ferrite {
namespace {

// Places come free when clients leave, which may take a while.
constexpr std::chrono::milliseconds kDelay(500);

absl::Status TooManyConnections(size_t connections, size_t wanted) {
  const std::string limit = std::to_string(connections);
  const std::string text =
      connections < wanted
          ? absl::StrCat("the server has as many connections as it has file descriptors for: ",
                         limit, " (ulimit -n; --max-connections is ", wanted, ")")
          : absl::StrCat("the server has as many connections as it may: ", limit,
                         " (--max-connections)");
  return MakeError(absl::StatusCode::kResourceExhausted, v1::OVERLOADED, text,
                   {{"limit", limit}, {"flag", "--max-connections"}});
}

// Not thread-safe: belongs to the thread of the accept loop.
class RefusedCalls {
 public:
  explicit RefusedCalls(CounterRegistry* counters) : counters_(*counters) {}

  void Note(const absl::Status& status) {
    if (!std::exchange(attached_, true)) counters_.AttachThread();
    CountRefusal(status);
    if (!absl::IsResourceExhausted(status)) return;
    ThreadCounters::Current().Count(ShedReason::kConnections);
    ++unlogged_;
    const auto now = Clock::now();
    if (now < next_log_) return;
    next_log_ = now + kLogInterval;
    spdlog::warn("{} (calls refused: {})", std::string(status.message()),
                 std::exchange(unlogged_, 0));
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kLogInterval{10};

  CounterRegistry& counters_;
  bool attached_ = false;
  uint64_t unlogged_ = 0;
  Clock::time_point next_log_;
};

absl::StatusOr<std::string> Check(const Health& health, std::string_view bytes) {
  grpc::health::v1::HealthCheckRequest request;
  if (!Request(bytes).ParseInto(&request)) return Malformed("grpc.health.v1.HealthCheckRequest");
  Health::Response response;
  if (absl::Status status = health.Check(request, &response); !status.ok()) return status;
  return response.SerializeAsString();
}

}  // namespace

DoorPolicy PolicyOfDoor(size_t connections, size_t wanted, const Health* health,
                        CounterRegistry* counters) {
  DoorPolicy policy{.answers = {},
                    .refusal = TooManyConnections(connections, wanted),
                    .pushback = [] { return RandomPushback(kDelay); }};
  policy.on_refusal = [calls = std::make_shared<RefusedCalls>(counters)](
                          const absl::Status& status) { calls->Note(status); };
  const MethodName& check = NameOf(Method::kHealthCheck);
  policy.answers[absl::StrCat("/", std::string(check.service), "/", std::string(check.method))] =
      [health](std::string_view request) { return Check(*health, request); };
  return policy;
}

}  // namespace ferrite
