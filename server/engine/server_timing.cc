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

void AddServerTiming(const CallTimes& times, grpc::ServerContext* context) {
  const auto& metadata = context->client_metadata();
  const auto asked = metadata.find(kAsk);
  if (asked == metadata.end() || asked->second != "1") return;
  context->AddTrailingMetadata(kTrailer, ServerTiming(times));
}

}  // namespace ferrite
