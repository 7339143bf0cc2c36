#pragma once

// How much of a connection's gRPC messages is there that is not complete: gRPC keeps it until the
// rest has come, and a call until there is a message at all. Reads the five bytes before each
// message; knows only streams that wait for one, or for the rest of one.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "server/guard/frame_walker.h"

namespace ferrite {

// Not thread-safe: belongs to whoever reads from the connection.
class UnfinishedMessages {
 public:
  // As FrameWalker tells it.
  void BeginStream(uint32_t stream) { fresh_.push_back(stream); }
  void BeginData(const FrameHead& frame);
  void OnData(const char* bytes, size_t size);
  // Returns whether the frame carried nothing.
  bool EndData();
  void EndStream(uint32_t stream);
  // There is no more for now: streams without a message wait for it.
  void EndRead();
  // Other frames came in between.
  void Skip(size_t bytes) { received_ += bytes; }

  // What gRPC holds, at least: small pieces keep larger buffers alive.
  int64_t bytes() const { return bytes_ + at_hand_; }
  size_t streams() const { return streams_.size(); }

 private:
  static constexpr uint32_t kPrefixBytes = 5;
  // What gRPC keeps of a stream.
  static constexpr int64_t kStreamBytes = int64_t{13} << 10;
  struct Message {
    uint32_t missing = 0;  // of its body
    uint8_t prefix = 0;    // how many of the five bytes are there
    uint8_t size[4] = {};  // the last four of them
    int64_t held = 0;      // of it, until the last frame
    uint64_t told = 0;     // what the connection had received by then
  };

  void Advance(const char* bytes, size_t size);
  void ForgetFresh(uint32_t stream);

  std::vector<uint32_t> fresh_;  // begun in what is being read, without a message; ascending
  absl::flat_hash_map<uint32_t, Message> streams_;
  int64_t bytes_ = 0;      // the sum of what they hold
  uint64_t received_ = 0;  // bytes of the connection

  // Of the frame at hand:
  uint32_t stream_ = 0;
  bool ends_ = false;
  bool pad_to_come_ = false;  // the byte that says how much padding there is
  uint32_t content_ = 0;      // without padding, still to come
  bool empty_ = true;
  bool known_ = false;  // whether the message lies in streams_
  Message message_;
  int64_t at_hand_ = 0;  // of the message, since the frame began
};

}  // namespace ferrite
