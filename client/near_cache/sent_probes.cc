#include "client/near_cache/sent_probes.h"

#include <algorithm>
#include <random>

#include "absl/strings/str_cat.h"

namespace ferrite {
namespace {

uint64_t NewNumber() {
  std::random_device random;
  return uint64_t{random()} << 32 | random();
}

}  // namespace

std::string SentProbes::Make(int64_t now_ns) {
  std::string payload = absl::StrCat(absl::Hex(NewNumber()), absl::Hex(NewNumber()));
  const std::lock_guard lock(mutex_);
  if (sent_.size() == kMost) sent_.pop_front();
  sent_.push_back({payload, now_ns});
  return payload;
}

std::optional<int64_t> SentProbes::SentAt(std::string_view payload) const {
  const std::lock_guard lock(mutex_);
  const auto sent = std::find_if(sent_.begin(), sent_.end(),
                                 [&](const Sent& each) { return each.payload == payload; });
  return sent == sent_.end() ? std::nullopt : std::optional(sent->at_ns);
}

}  // namespace ferrite
