#pragma once

// A Set of a large value, taken out of the bytes of its message in short steps: to parse 64 MiB at
// once would hold up the thread for 50 ms and more.

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "ferrite/v1/cache.pb.h"
#include "server/call/request.h"
#include "server/handlers/replay_window.h"

namespace ferrite {

//   LargeSet set(request);
//   while (set.Join()) ServeOthers();
//   if (!set.Parse()) return Malformed("SetRequest");
//   while (set.Hash()) ServeOthers();
//
// Not thread-safe. The request must outlive it.
class LargeSet {
 public:
  explicit LargeSet(const Request& request) : request_(request) {}

  // Joins the next stretch of the pieces that the message came in. Returns whether there is more.
  bool Join();
  // Once it is joined: reads the fields; false if they are malformed.
  bool Parse();

  // Then, only if it has a request_id: hashes the next stretch. Returns whether there is more.
  bool Hash();

  // All fields but the value.
  const v1::SetRequest& head() const { return head_; }
  std::string_view value() const { return value_; }
  // Means nothing without a request_id.
  const KeyedDigest& request_hash() const { return hash_; }

 private:
  // Whether `field`, the value's bytes, is preceded by its tag and size as protobuf writes them.
  bool FindValueField(std::string_view field, size_t* begin) const;

  const Request& request_;
  std::unique_ptr<char[]> joined_;  // unless the message came in one piece
  std::string_view bytes_;
  size_t done_bytes_ = 0;
  size_t hashed_bytes_ = 0;
  std::optional<RequestHash> hashing_;
  KeyedDigest hash_{};
  v1::SetRequest head_;
  std::string_view value_;
};

}  // namespace ferrite
