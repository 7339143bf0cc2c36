#pragma once

// Where the members of an etcd cluster are, as people write it.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace ferrite::cluster {

inline constexpr size_t kMaxEtcdEndpoints = 16;

// One or more of HOST:PORT or http://HOST:PORT, separated by commas; as HOST:PORT each.
// INVALID_ARGUMENT, with what is allowed in the text.
absl::StatusOr<std::vector<std::string>> ParseEtcdEndpoints(std::string_view text);

}  // namespace ferrite::cluster
