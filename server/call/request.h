#pragma once

// The bytes of a message as they were received: perhaps in several pieces.

#include <string>
#include <string_view>
#include <vector>

#include "google/protobuf/message_lite.h"

namespace ferrite {

// Points to bytes that somebody else keeps. Not thread-safe.
class Request {
 public:
  Request() = default;
  // A message in one piece.
  explicit Request(std::string_view bytes) : size_(bytes.size()), whole_(bytes), joined_(true) {}
  explicit Request(std::vector<std::string_view> pieces);

  size_t size() const { return size_; }

  // The bytes in one piece. Copies them, once, if they came in several.
  std::string_view bytes() const {
    if (!joined_) [[unlikely]]
      Join();
    return whole_;
  }

  bool in_one_piece() const { return joined_; }
  // Joins the pieces in short steps: the next one, of about so many bytes. Returns whether there is
  // more to join.
  bool JoinNext(size_t bytes) const;
  // Copies `bytes` bytes, from the one at `begin` on, to `to`. They must be there.
  void CopyOut(size_t begin, size_t bytes, char* to) const;

  // Parses the message without copying it into one piece; false if it is malformed.
  bool ParseInto(google::protobuf::MessageLite* message) const;

 private:
  void Join() const;

  size_t size_ = 0;
  std::vector<std::string_view> pieces_;  // unless it came in one
  mutable std::string_view whole_;
  mutable std::string copy_;
  mutable size_t copied_pieces_ = 0;
  mutable bool joined_ = true;
};

}  // namespace ferrite
