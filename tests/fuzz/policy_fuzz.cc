// Policies in any text: a complaint names the place, and what is read can be asked and says the
// same when it is read again.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "server/policy/policy.h"
#include "server/policy/policy_reader.h"

namespace ferrite::policy {
namespace {

void Try(std::string_view text) {
  absl::StatusOr<PolicyRules> rules = ReadPolicy(text, "policy");
  if (!rules.ok()) {
    FERRITE_CHECK(absl::IsInvalidArgument(rules.status()));
    FERRITE_CHECK(rules.status().message().substr(0, 7) == "policy:");
    return;
  }
  FERRITE_CHECK(*rules == *ReadPolicy(text, "policy"));
  const Policy policy(*std::move(rules));
  for (const auto& [principal, roles] : policy.rules().bindings) {
    const Rights& rights = policy.RightsOf(principal);
    for (const uint32_t index : roles) {
      const Role& role = policy.rules().roles.at(index);
      const Verbs on_keys = role.verbs & kVerbsOfKeys;
      for (const std::string& key : role.keys) FERRITE_CHECK(rights.MayOnKey(on_keys, key));
      for (const std::string& prefix : role.key_prefixes) {
        FERRITE_CHECK(rights.MayOnKeysWith(on_keys, prefix));
        FERRITE_CHECK(rights.MayOnKey(on_keys, prefix + "x"));
      }
    }
    // A part of it is no more than it is.
    const Rights part = Rights::PartOf(
        &rights, {.key_prefixes = {""}, .verbs = Verb::kRead | Verb::kWrite | Verb::kAdmin});
    FERRITE_CHECK(rights.all().Have(part.all()));
    FERRITE_CHECK(!part.MayOnKeysWith(Verb::kRead, "") || rights.MayOnKeysWith(Verb::kRead, ""));
  }
}

}  // namespace
}  // namespace ferrite::policy

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ferrite::policy::Try(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
