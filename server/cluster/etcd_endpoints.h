#pragma once

// Where the members of an etcd cluster are, as people write it.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace ferrite::cluster {

inline constexpr size_t kMaxEtcdEndpoints = 16;

struct EtcdEndpoints {
  std::vector<std::string> addresses;  // HOST:PORT each
  bool over_tls = false;               // they are https://
};

// One or more of HOST:PORT, http://HOST:PORT or https://HOST:PORT, separated by commas, all or none
// of them https. INVALID_ARGUMENT, with what is allowed in the text.
absl::StatusOr<EtcdEndpoints> ParseEtcdEndpoints(std::string_view text);

}  // namespace ferrite::cluster
