#pragma once

// What a subscription follows, as far as its rights have to be asked again later: its names and
// nothing else, close together.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ferrite/v1/cache.pb.h"
#include "server/policy/rights.h"

namespace ferrite {

class SubscriptionWish {
 public:
  // Leaves out what cannot be followed, for which the handler refuses the request as a whole.
  explicit SubscriptionWish(const v1::SubscribeRequest& request);

  bool AllowedBy(const policy::Rights& rights) const;
  // What it takes, to be counted as the topics of the subscription are.
  uint64_t memory_bytes() const {
    return sizeof(*this) + names_.capacity() + wanted_.capacity() * sizeof(Wanted);
  }

 private:
  struct Wanted {
    uint32_t end : 30;  // of its name, in names_
    uint32_t of_channel : 1;
    uint32_t of_prefix : 1;
  };

  void AddGlob(const std::string& text);
  void Add(std::string_view name, bool of_channel, bool of_prefix);
  bool AllowedBy(const policy::Rights& rights, const Wanted& wanted, std::string_view name) const;

  std::string names_;  // one after the other
  std::vector<Wanted> wanted_;
  bool with_values_ = false;
};

}  // namespace ferrite
