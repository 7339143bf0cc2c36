#pragma once

// What it takes to follow topics.

#include <cstdint>
#include <vector>

#include "server/events/topic.h"

namespace ferrite {

// Measured: 9.1 KB with a name of 4 KiB, which is kept by the topic and by Interests, each; nodes,
// sets and places in indices are the rest.
inline uint64_t BytesOf(const Topic& topic) {
  constexpr uint64_t kBesideNames = 640;
  return kBesideNames + 2 * topic.name.size() + 4 * topic.glob_text.size();
}

inline uint64_t BytesOf(const std::vector<TopicRef>& topics) {
  uint64_t bytes = 0;
  for (const TopicRef& topic : topics) bytes += BytesOf(*topic);
  return bytes;
}

}  // namespace ferrite
