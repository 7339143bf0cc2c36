#include "server/engine/grpc/message_check.h"

#include <string>

#include "server/call/status.h"
#include "server/metrics/thread_counters.h"

namespace ferrite {
namespace {

absl::Status Compressed() {
  ThreadCounters::Current().Count(ShedReason::kCompression);
  return MakeError(absl::StatusCode::kUnimplemented, v1::COMPRESSION_UNSUPPORTED,
                   "the request is compressed, which this server does not take; send it as it is");
}

absl::Status TooLarge(size_t bytes, size_t limit) {
  ThreadCounters::Current().Count(ShedReason::kMessageSize);
  return InvalidArgument(v1::REQUEST_TOO_LARGE,
                         "the request has " + std::to_string(bytes) + " bytes; the limit is " +
                             std::to_string(limit) +
                             " (twice --max-value-bytes, but at least 4 MiB, and 64 KiB)",
                         {{"limit", std::to_string(limit)}, {"size", std::to_string(bytes)}});
}

}  // namespace

absl::Status CheckMessage(const ReceivedMessage& message, size_t max_bytes) {
  if (message.compressed()) [[unlikely]]
    return Compressed();
  const size_t bytes = message.request().size();
  if (bytes > max_bytes) [[unlikely]]
    return TooLarge(bytes, max_bytes);
  return absl::OkStatus();
}

}  // namespace ferrite
