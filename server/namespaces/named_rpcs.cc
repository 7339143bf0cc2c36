#include "server/namespaces/named_rpcs.h"

#include <optional>
#include <string_view>
#include <utility>

#include "server/call/namespace_name.h"
#include "server/call/status.h"

namespace ferrite {
namespace {

const absl::Status& AboutTheServer() {
  static const absl::Status denied =
      MakeError(absl::StatusCode::kPermissionDenied, v1::NOT_ALLOWED,
                "this is about the server as a whole, and so for those who may administer the "
                "namespace default; nothing was done");
  return denied;
}

// Where there is no policy.
void FindNamespace(const Caller& caller) {
  if (!caller.HasMetadata(kNamespaceMetadata)) [[likely]]
    return;
  const std::optional<std::string_view> named = caller.Metadata(kNamespaceMetadata);
  caller.SetNamespace(named == kDefaultNamespace ? nullptr : UnknownNamespace());
}

Handler InNamespace(Method method, Handler of_default, const Namespaces* namespaces,
                    bool has_policy) {
  const bool of_server = ScopeOf(method) == ScopeOfMethod::kServer;
  return [=, of_default = std::move(of_default)](Turn* turn) -> absl::Status {
    const Caller& caller = turn->caller();
    if (!has_policy) FindNamespace(caller);
    const std::string* const name = caller.name_space();
    if (name == nullptr) [[likely]]
      return of_default(turn);
    if (of_server && has_policy) return AboutTheServer();
    return namespaces->Serve(method, name, turn);
  };
}

}  // namespace

ScopeOfMethod ScopeOf(Method method) {
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
      return ScopeOfMethod::kNamespace;
    case Method::kInfo:
    case Method::kResetSlowLog:
    case Method::kGetConfig:
    case Method::kSetConfig:
    case Method::kPutPolicy:
    case Method::kGetPolicy:
    case Method::kDrain:
    case Method::kRebalance:
      return ScopeOfMethod::kServer;
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
      return ScopeOfMethod::kNone;
  }
  return ScopeOfMethod::kServer;
}

std::vector<Rpc> InNamespaces(std::vector<Rpc> of_default, const Namespaces* namespaces,
                              bool has_policy) {
  for (Rpc& rpc : of_default) {
    if (ScopeOf(rpc.method) == ScopeOfMethod::kNone) continue;
    rpc.handler = InNamespace(rpc.method, std::move(rpc.handler), namespaces, has_policy);
  }
  return of_default;
}

}  // namespace ferrite
