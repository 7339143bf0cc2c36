#pragma once

#include <array>
#include <cstddef>

namespace ferrite {

// Why a call, or an operation of a batch, was turned away unexecuted: the labels of
// ferrite_shed_total.
enum class ShedReason : size_t {
  kOperations,       // --max-inflight-operations
  kBytes,            // --max-inflight-bytes
  kBacklog,          // it would not have been done in time
  kDeadline,         // its deadline had passed when it was taken up
  kMemory,           // the store is full and nothing could be evicted
  kRequestWindow,    // no room for another request_id
  kStreams,          // --max-concurrent-streams
  kSubscribers,      // --max-subscribers
  kGlobs,            // too many globs have the same literal parts
  kMessageSize,      // the request is larger than any that is allowed
  kCompression,      // the request is compressed
  kUnknownMethod,    // there is no such method
  kConnections,      // --max-connections
  kConnectionShare,  // --connection-share
  kAllStreams,       // --max-streams
  kTopics,           // --subscriber-total-bytes
  kShuttingDown,     // the server ends
};

// In the order of ShedReason.
inline constexpr std::array kShedReasonNames = {"operations",   "bytes",
                                                "backlog",      "deadline",
                                                "memory",       "request_window",
                                                "streams",      "subscribers",
                                                "globs",        "message_size",
                                                "compression",  "unknown_method",
                                                "connections",  "connection_share",
                                                "all_streams",  "topics",
                                                "shutting_down"};

}  // namespace ferrite
