#pragma once

// Finds the frames in what a client of HTTP/2 sends, in whatever pieces it is read, and copies
// nothing but a frame's head that is torn in two.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/http2.h"

namespace ferrite {

struct FrameHead {
  uint32_t length = 0;  // of what follows the head
  uint8_t type = 0;
  uint8_t flags = 0;
  uint32_t stream = 0;

  bool has(http2::FrameFlag flag) const { return (flags & flag) != 0; }
};

// Not thread-safe: belongs to whoever reads from the connection.
class FrameWalker {
 public:
  // Takes the next bytes of the connection, whose first are the client's preface, and tells
  // `visitor`
  //   OnFrame(const FrameHead&)           of each frame as soon as its head is there,
  //   OnData(const char* bytes, size_t)   of what DATA carries, padding included, in pieces,
  //   OnDataEnd()                         when such a frame is there in full.
  // What is no HTTP/2 is walked as if it were: gRPC ends such a connection.
  template <typename Visitor>
  void Walk(const char* bytes, size_t size, Visitor* visitor) {
    while (size > 0) {
      if (left_ > 0) {
        const size_t taken = std::min(size, left_);
        left_ -= taken;
        if (in_data_) {
          visitor->OnData(bytes, taken);
          if (left_ == 0) EndData(visitor);
        }
        bytes += taken;
        size -= taken;
        continue;
      }
      const char* head = bytes;
      size_t taken = http2::kHeadBytes;
      if (torn_ > 0 || size < http2::kHeadBytes) [[unlikely]] {
        taken = std::min(size, http2::kHeadBytes - torn_);
        std::memcpy(head_ + torn_, bytes, taken);
        torn_ += taken;
        if (torn_ < http2::kHeadBytes) return;
        torn_ = 0;
        head = head_;
      }
      bytes += taken;
      size -= taken;
      const FrameHead frame = Parse(head);
      left_ = frame.length;
      in_data_ = frame.type == http2::kData;
      visitor->OnFrame(frame);
      if (in_data_ && left_ == 0) EndData(visitor);
    }
  }

  // How much is still to come of the DATA at hand.
  size_t left_of_data() const { return in_data_ ? left_ : 0; }

 private:
  static FrameHead Parse(const char* head) {
    const auto at = [head](size_t i) { return uint32_t{static_cast<uint8_t>(head[i])}; };
    constexpr uint32_t kStreamBits = 0x7fffffff;
    return {.length = at(0) << 16 | at(1) << 8 | at(2),
            .type = static_cast<uint8_t>(at(3)),
            .flags = static_cast<uint8_t>(at(4)),
            .stream = (at(5) << 24 | at(6) << 16 | at(7) << 8 | at(8)) & kStreamBits};
  }

  template <typename Visitor>
  void EndData(Visitor* visitor) {
    in_data_ = false;
    visitor->OnDataEnd();
  }

  size_t left_ = http2::kPrefaceBytes;  // of the preface or the frame at hand
  bool in_data_ = false;
  size_t torn_ = 0;  // how much of the next head is there
  char head_[http2::kHeadBytes];
};

}  // namespace ferrite
