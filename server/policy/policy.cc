#include "server/policy/policy.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ferrite::policy {

namespace {

constexpr std::string_view kDefaultHome = "default";

// Debian's Abseil has a string_view of its own.
absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

bool Policy::Binds(std::string_view principal) const {
  return rules_.bindings.contains(ToAbsl(principal));
}

std::string_view Policy::HomeOf(std::string_view principal) const {
  const auto home = rules_.homes.find(ToAbsl(principal));
  return home == rules_.homes.end() ? kDefaultHome : std::string_view(home->second);
}

bool Policy::HasNamespace(std::string_view name) const {
  return std::any_of(rules_.namespaces.begin(), rules_.namespaces.end(),
                     [name](const NamespaceRules& each) { return each.name == name; });
}

const Rights& Policy::RightsOf(std::string_view principal) const {
  const auto binding = rules_.bindings.find(ToAbsl(principal));
  // Of those there are without number, so nothing is kept of them.
  if (binding == rules_.bindings.end()) return none_;
  if (Made::const_accessor found; made_.find(found, binding->first)) return *found->second;
  return Make(HomeOf(principal), principal, binding->first);
}

const Rights& Policy::RightsIn(std::string_view name_space, std::string_view principal) const {
  if (name_space == HomeOf(principal)) return RightsOf(principal);
  if (!Binds(principal)) return none_;
  // Of names that nobody has defined there are without number, too; roles that hold in all
  // namespaces hold in these as well.
  const bool is_known = name_space == kDefaultHome || HasNamespace(name_space);
  const std::string_view name = is_known ? name_space : kAllNamespaces;
  // No principal begins so.
  std::string place_name = absl::StrCat(ToAbsl(name), "\n", ToAbsl(principal));
  if (Made::const_accessor found; made_.find(found, place_name)) return *found->second;
  return Make(name, principal, std::move(place_name));
}

const Rights& Policy::Make(std::string_view name_space, std::string_view principal,
                           std::string place_name) const {
  const std::string_view home = HomeOf(principal);
  auto rights = std::make_unique<Rights>();
  for (const uint32_t place : rules_.bindings.find(ToAbsl(principal))->second) {
    const Role& role = rules_.roles[place];
    if (role.HoldsIn(name_space, home)) rights->Add(role);
  }
  rights->Compile();
  Made::accessor place;
  if (made_.insert(place, place_name)) place->second = std::move(rights);
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
