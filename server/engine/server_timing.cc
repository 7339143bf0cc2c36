#include "server/engine/server_timing.h"

#include "absl/strings/str_format.h"

namespace ferrite {
namespace {

constexpr char kAsk[] = "ferrite-server-timing";
constexpr char kTrailer[] = "server-timing";

}  // namespace

std::string ServerTiming(const CallTimes& times) {
  const auto ms = [](int64_t ns) { return 1e-6 * static_cast<double>(ns); };
  return absl::StrFormat("queue;dur=%.3f, execute;dur=%.3f", ms(times.queue_ns),
                         ms(times.execute_ns));
}

void AddServerTiming(const CallTimes& times, const Caller& caller, CallEnd* end) {
  if (caller.Metadata(kAsk) == "1") end->trailers.emplace_back(kTrailer, ServerTiming(times));
}

}  // namespace ferrite
