#include "server/call/namespace_name.h"

#include <set>

#include "base/mutex.h"

namespace ferrite {

const std::string* NamespaceName(std::string_view name) {
  if (name == kDefaultNamespace) return nullptr;
  static Mutex* const mutex = new Mutex;
  static auto* const names = new std::set<std::string, std::less<>>;
  MutexLock lock(mutex);
  const auto found = names->find(name);
  return found != names->end() ? &*found : &*names->emplace(name).first;
}

const std::string* UnknownNamespace() {
  static const auto* const unknown = new std::string("?");
  return unknown;
}

}  // namespace ferrite
