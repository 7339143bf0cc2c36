#pragma once

// Whose a request_id is: ids of different principals have nothing to do with each other. A scope is
// a short text that all nodes make in the same way; empty where there are no principals.

#include <functional>
#include <string>
#include <string_view>

#include "server/call/caller.h"

namespace ferrite {

using ScopeOfCaller = std::function<std::string(const Caller& caller)>;

// The scope that an operation brings along, as another node forwards it for a caller of its own;
// empty: it brings none.
inline constinit thread_local std::string_view forwarded_scope;

// Has the operation that is executed within bring that along.
class ForwardedScope {
 public:
  explicit ForwardedScope(std::string_view scope) : before_(forwarded_scope) {
    forwarded_scope = scope;
  }
  ~ForwardedScope() { forwarded_scope = before_; }
  ForwardedScope(const ForwardedScope&) = delete;
  ForwardedScope& operator=(const ForwardedScope&) = delete;

 private:
  const std::string_view before_;
};

}  // namespace ferrite
