#pragma once

#include <string_view>

#include "server/policy/policy.h"

namespace ferrite {

policy::Digest Sha256(std::string_view text);

// Takes the same time whatever they have in common.
bool SameDigest(const policy::Digest& one, const policy::Digest& other);

}  // namespace ferrite
