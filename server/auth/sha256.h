#pragma once

#include <string>
#include <string_view>

#include "server/policy/policy.h"

namespace ferrite {

policy::Digest Sha256(std::string_view text);

// The first 16 hexadecimal digits of that of a name: enough to tell names apart.
std::string ShownHash(std::string_view name);

// Takes the same time whatever they have in common.
bool SameDigest(const policy::Digest& one, const policy::Digest& other);

}  // namespace ferrite
