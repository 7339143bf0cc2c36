#pragma once

// The RPCs that Ferrite serves itself, as metrics name them.

#include <array>
#include <cstddef>
#include <string_view>

namespace ferrite {

enum class Method : size_t {
  kGet,
  kSet,
  kDelete,
  kTouch,
  kExists,
  kIncr,
  kMGet,
  kMSet,
  kMDelete,
  kPipeline,
  kScan,
  kPublish,
  kSubscribe,
  kInfo,
  kStats,
  kFlush,
  kFlushWithProgress,
  kSlowLog,
  kResetSlowLog,
  kGetConfig,
  kSetConfig,
  kWhoAmI,
  kCan,
  kPutPolicy,
  kGetPolicy,
  kIssueToken,
  kGetTopology,
  kWatchTopology,
  kDrain,
  kRebalance,
  kHello,
  kHealthCheck,
  kHealthWatch,
  kReflect,
  kReflectAlpha,
};

struct MethodName {
  std::string_view service;
  std::string_view method;  // as in the .proto
  std::string_view op;      // as a label: lower case
  std::string_view type;    // "unary", "server_stream" or "bidi_stream"
};

inline constexpr std::string_view kCacheService = "ferrite.v1.CacheService";
inline constexpr std::string_view kAdminService = "ferrite.v1.AdminService";
inline constexpr std::string_view kClusterService = "ferrite.v1.ClusterService";
inline constexpr std::string_view kPeerService = "ferrite.internal.v1.PeerService";
inline constexpr std::string_view kHealthService = "grpc.health.v1.Health";
inline constexpr std::string_view kReflectionService = "grpc.reflection.v1.ServerReflection";
inline constexpr std::string_view kOlderReflectionService =
    "grpc.reflection.v1alpha.ServerReflection";

// In the order of Method.
inline constexpr std::array kMethodNames = {
    MethodName{kCacheService, "Get", "get", "unary"},
    MethodName{kCacheService, "Set", "set", "unary"},
    MethodName{kCacheService, "Delete", "delete", "unary"},
    MethodName{kCacheService, "Touch", "touch", "unary"},
    MethodName{kCacheService, "Exists", "exists", "unary"},
    MethodName{kCacheService, "Incr", "incr", "unary"},
    MethodName{kCacheService, "MGet", "mget", "unary"},
    MethodName{kCacheService, "MSet", "mset", "unary"},
    MethodName{kCacheService, "MDelete", "mdelete", "unary"},
    MethodName{kCacheService, "Pipeline", "pipeline", "bidi_stream"},
    MethodName{kCacheService, "Scan", "scan", "server_stream"},
    MethodName{kCacheService, "Publish", "publish", "unary"},
    MethodName{kCacheService, "Subscribe", "subscribe", "server_stream"},
    MethodName{kAdminService, "Info", "info", "unary"},
    MethodName{kAdminService, "Stats", "stats", "unary"},
    MethodName{kAdminService, "Flush", "flush", "unary"},
    MethodName{kAdminService, "FlushWithProgress", "flushwithprogress", "server_stream"},
    MethodName{kAdminService, "SlowLog", "slowlog", "unary"},
    MethodName{kAdminService, "ResetSlowLog", "resetslowlog", "unary"},
    MethodName{kAdminService, "GetConfig", "getconfig", "unary"},
    MethodName{kAdminService, "SetConfig", "setconfig", "unary"},
    MethodName{kAdminService, "WhoAmI", "whoami", "unary"},
    MethodName{kAdminService, "Can", "can", "unary"},
    MethodName{kAdminService, "PutPolicy", "putpolicy", "unary"},
    MethodName{kAdminService, "GetPolicy", "getpolicy", "unary"},
    MethodName{kAdminService, "IssueToken", "issuetoken", "unary"},
    MethodName{kClusterService, "GetTopology", "gettopology", "unary"},
    MethodName{kClusterService, "WatchTopology", "watchtopology", "server_stream"},
    MethodName{kClusterService, "Drain", "drain", "unary"},
    MethodName{kClusterService, "Rebalance", "rebalance", "unary"},
    MethodName{kPeerService, "Hello", "hello", "unary"},
    MethodName{kHealthService, "Check", "healthcheck", "unary"},
    MethodName{kHealthService, "Watch", "healthwatch", "server_stream"},
    MethodName{kReflectionService, "ServerReflectionInfo", "reflect", "bidi_stream"},
    MethodName{kOlderReflectionService, "ServerReflectionInfo", "reflectalpha", "bidi_stream"},
};

inline constexpr size_t kMethodCount = kMethodNames.size();
static_assert(kMethodNames[static_cast<size_t>(Method::kHealthWatch)].method == "Watch");
static_assert(static_cast<size_t>(Method::kReflectAlpha) + 1 == kMethodCount);

constexpr const MethodName& NameOf(Method method) {
  return kMethodNames[static_cast<size_t>(method)];
}

// Whether calls of the method go on for as long as their clients like, so that what is timed is
// each frame or message.
constexpr bool InFrames(Method method) {
  return method == Method::kPipeline || method == Method::kSubscribe ||
         method == Method::kWatchTopology || method == Method::kHealthWatch ||
         method == Method::kReflect || method == Method::kReflectAlpha;
}

// Whether calls of the method have nothing to do but to wait for news, which nobody waits for.
constexpr bool OnlyWatches(Method method) {
  return NameOf(method).service == kHealthService || method == Method::kWatchTopology;
}

// Whether calls of the method change nothing, and have a reply that may be large.
constexpr bool OnlyReads(Method method) {
  return method == Method::kGet || method == Method::kMGet;
}

// Whether calls of the method tell operators how the server is, and change nothing.
constexpr bool OnlyTells(Method method) {
  return method == Method::kInfo || method == Method::kStats || method == Method::kSlowLog ||
         method == Method::kGetConfig;
}

// Whether clients end calls of the method by leaving, when they have had enough of its messages.
constexpr bool EndsWithItsClient(Method method) {
  return InFrames(method) || method == Method::kScan;
}

// Whether calls of the method are the users' work, which is refused when there is too much of it.
// Those of operators and probes are not: they are how one finds out what is wrong.
constexpr bool IsUsersWork(Method method) { return NameOf(method).service == kCacheService; }

}  // namespace ferrite
