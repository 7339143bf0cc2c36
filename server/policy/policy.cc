#include "server/policy/policy.h"

#include <utility>

namespace ferrite::policy {

namespace {

// Debian's Abseil has a string_view of its own.
absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

bool Policy::Binds(std::string_view principal) const {
  return rules_.bindings.contains(ToAbsl(principal));
}

const Rights& Policy::RightsOf(std::string_view principal) const {
  const auto binding = rules_.bindings.find(ToAbsl(principal));
  // Of those there are without number, so nothing is kept of them.
  if (binding == rules_.bindings.end()) return none_;
  const std::string& name = binding->first;
  if (Made::const_accessor found; made_.find(found, name)) return *found->second;
  auto rights = std::make_unique<Rights>();
  for (const uint32_t role : binding->second) rights->Add(rules_.roles[role]);
  rights->Compile();
  Made::accessor place;
  if (made_.insert(place, name)) place->second = std::move(rights);
  return *place->second;
}

void Policy::ForEachRoleOf(
    std::string_view principal,
    absl::FunctionRef<void(const std::string& name, const Role& role)> visit) const {
  const auto binding = rules_.bindings.find(ToAbsl(principal));
  if (binding == rules_.bindings.end()) return;
  for (const uint32_t role : binding->second) visit(rules_.role_names[role], rules_.roles[role]);
}

std::vector<std::string> Policy::RolesOf(std::string_view principal) const {
  std::vector<std::string> names;
  ForEachRoleOf(principal,
                [&names](const std::string& name, const Role&) { names.push_back(name); });
  return names;
}

}  // namespace ferrite::policy
