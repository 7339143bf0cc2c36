#pragma once

// Reads a policy from the text of a file, YAML or JSON. docs/security.md describes the format.

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "server/policy/policy.h"

namespace ferrite::policy {

inline constexpr size_t kMaxPolicyBytes = size_t{64} << 20;

// INVALID_ARGUMENT, with `name`, the line and the reason in the text, for whatever is not known, is
// there twice, or could have no effect: what somebody may have meant otherwise is not guessed.
absl::StatusOr<PolicyRules> ReadPolicy(std::string_view text, const std::string& name);

}  // namespace ferrite::policy
