#pragma once

// Calls of one gRPC method over one HTTP/2 connection, as bytes: the part of RFC 9113 that
// bench/subscribe needs. It reads no headers, so a call that ends without a message has failed. It
// never sends more than the smallest window allows before it gets an answer.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"

namespace ferrite::bench {

// Not thread-safe.
class Http2Calls {
 public:
  // Is told the outcomes of the calls, which are numbered from 0.
  class Receiver {
   public:
    virtual void OnMessage(size_t call, std::string_view message) = 0;
    // The server has ended the call after so many messages.
    virtual void OnEnd(size_t call, uint64_t messages) = 0;

   protected:
    ~Receiver() = default;
  };

  // Without `reads` each call receives no more than its first window.
  Http2Calls(std::string path, bool reads);

  // Append to `*out`: the opening of a connection; the headers of a call, whose number is returned;
  // a message of a call, which is the last one if `last`.
  void Open(std::string* out) const;
  size_t Begin(std::string* out);
  void Send(size_t call, std::string_view message, bool last, std::string* out);

  // See Dialect::Take.
  size_t Take(std::string_view bytes, Receiver* receiver, std::string* out);

 private:
  struct Call {
    std::string partial;      // of a message
    uint32_t unreturned = 0;  // bytes of its window
    uint64_t messages = 0;
  };

  void TakeFrame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload,
                 Receiver* receiver, std::string* out);
  void TakeData(uint32_t stream, std::string_view payload, Receiver* receiver, std::string* out);
  // Takes the complete messages at the front; returns the rest.
  static std::string_view TakeMessages(std::string_view bytes, size_t number, Call* call,
                                       Receiver* receiver);
  void End(uint32_t stream, Receiver* receiver);

  const std::string path_;
  const bool reads_;
  size_t begun_ = 0;
  uint32_t unreturned_ = 0;  // bytes of the connection's window
  absl::flat_hash_map<uint32_t, Call> calls_;
};

}  // namespace ferrite::bench
