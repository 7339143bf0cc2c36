#pragma once

// Tokens that were found to be good, by their hashes, so that each is verified once and not for
// each call: a signature takes as long as ten calls.

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "base/mutex.h"
#include "server/auth/jwt.h"
#include "server/policy/policy.h"

namespace ferrite {

// Thread-safe. Bounded: where there are too many, those go first whose time is over.
class VerifiedTokens {
 public:
  static constexpr size_t kStripes = 16;
  static constexpr size_t kMostOfStripe = 512;

  // Absent if the token is not known. Its time may be over: who comes again and again with such a
  // token costs no signature either.
  std::optional<JwtBearer> Find(const policy::Digest& token) const;
  void Add(const policy::Digest& token, const JwtBearer& bearer,
           std::chrono::system_clock::time_point now);

 private:
  struct Stripe {
    mutable Mutex mutex;
    absl::flat_hash_map<policy::Digest, JwtBearer> tokens ABSL_GUARDED_BY(mutex);
  };

  std::array<Stripe, kStripes> stripes_;
};

}  // namespace ferrite
