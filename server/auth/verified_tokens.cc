#include "server/auth/verified_tokens.h"

namespace ferrite {

std::optional<JwtBearer> VerifiedTokens::Find(const policy::Digest& token) const {
  const Stripe& stripe = stripes_[token[0] % kStripes];
  MutexLock lock(&stripe.mutex);
  const auto found = stripe.tokens.find(token);
  if (found == stripe.tokens.end()) return std::nullopt;
  return found->second;
}

void VerifiedTokens::Add(const policy::Digest& token, const JwtBearer& bearer,
                         std::chrono::system_clock::time_point now) {
  Stripe& stripe = stripes_[token[0] % kStripes];
  MutexLock lock(&stripe.mutex);
  if (stripe.tokens.size() >= kMostOfStripe) {
    absl::erase_if(stripe.tokens, [now](const auto& each) { return each.second.expires <= now; });
  }
  if (stripe.tokens.size() >= kMostOfStripe) stripe.tokens.erase(stripe.tokens.begin());
  stripe.tokens.insert_or_assign(token, bearer);
}

}  // namespace ferrite
