#include "server/call/method_scope.h"

namespace ferrite {

MethodScope ScopeOf(Method method) {
  switch (method) {
    case Method::kGet:
    case Method::kSet:
    case Method::kDelete:
    case Method::kTouch:
    case Method::kExists:
    case Method::kIncr:
    case Method::kMGet:
    case Method::kMSet:
    case Method::kMDelete:
    case Method::kPipeline:
    case Method::kScan:
    case Method::kPublish:
    case Method::kSubscribe:
    case Method::kStats:
    case Method::kFlush:
    case Method::kFlushWithProgress:
    case Method::kSlowLog:
      return MethodScope::kNamespace;
    case Method::kInfo:
    case Method::kResetSlowLog:
    case Method::kGetConfig:
    case Method::kSetConfig:
    case Method::kPutPolicy:
    case Method::kGetPolicy:
    case Method::kDrain:
    case Method::kRebalance:
      return MethodScope::kServer;
    case Method::kWhoAmI:
    case Method::kCan:
    case Method::kIssueToken:
    case Method::kGetTopology:
    case Method::kWatchTopology:
    case Method::kHello:
    case Method::kHealthCheck:
    case Method::kHealthWatch:
    case Method::kReflect:
    case Method::kReflectAlpha:
      return MethodScope::kNone;
  }
  return MethodScope::kServer;
}

}  // namespace ferrite
