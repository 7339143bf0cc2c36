#include "server/namespaces/named_rpcs.h"

#include <optional>
#include <string_view>
#include <utility>

#include "server/call/method_scope.h"
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
  const bool of_server = ScopeOf(method) == MethodScope::kServer;
  return [=, of_default = std::move(of_default)](Turn* turn) -> absl::Status {
    const Caller& caller = turn->caller();
    if (!has_policy) FindNamespace(caller);
    const std::string* const name = caller.name_space();
    if (name == nullptr) [[likely]]
      return of_default(turn);
    // Whoever checks rights has refused that; here nobody could serve it.
    if (of_server && has_policy) return AboutTheServer();
    return namespaces->Serve(method, name, turn);
  };
}

}  // namespace

std::vector<Rpc> InNamespaces(std::vector<Rpc> of_default, const Namespaces* namespaces,
                              bool has_policy) {
  for (Rpc& rpc : of_default) {
    if (ScopeOf(rpc.method) == MethodScope::kNone) continue;
    rpc.handler = InNamespace(rpc.method, std::move(rpc.handler), namespaces, has_policy);
  }
  return of_default;
}

}  // namespace ferrite
