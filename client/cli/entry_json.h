#pragma once

// Entries of the cache as JSON.

#include "client/cli/bytes.h"
#include "ferrite/v1/cache.pb.h"
#include "nlohmann/json.hpp"

namespace ferrite::cli {

// The remaining milliseconds of a message with `optional int64 ttl_ms`; null: does not expire.
template <class Message>
nlohmann::ordered_json JsonTtl(const Message& message) {
  return message.has_ttl_ms() ? nlohmann::ordered_json(message.ttl_ms())
                              : nlohmann::ordered_json(nullptr);
}

// The answer to a read of `key`.
inline nlohmann::ordered_json JsonRead(const std::string& key, const v1::GetResponse& read) {
  if (!read.found()) return {{"key", JsonBytes(key)}, {"found", false}};
  return {{"key", JsonBytes(key)},
          {"found", true},
          {"value", JsonBytes(read.value())},
          {"version", read.version()},
          {"ttl_ms", JsonTtl(read)}};
}

}  // namespace ferrite::cli
