#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstddef>

namespace ferrite {

inline size_t BytesOf(const msghdr& message) {
  size_t bytes = 0;
  for (size_t i = 0; i < message.msg_iovlen; ++i) bytes += message.msg_iov[i].iov_len;
  return bytes;
}

// While it lives, a message has room for fewer bytes than its owner gave it.
class ShortenedMessage {
 public:
  // `bytes` is at least 1.
  ShortenedMessage(msghdr* message, size_t bytes)
      : message_(message), pieces_(message->msg_iovlen) {
    for (size_t i = 0; i < pieces_; ++i) {
      iovec& piece = message->msg_iov[i];
      if (piece.iov_len < bytes) {
        bytes -= piece.iov_len;
        continue;
      }
      last_ = &piece;
      last_bytes_ = piece.iov_len;
      piece.iov_len = bytes;
      message->msg_iovlen = i + 1;
      return;
    }
  }
  ~ShortenedMessage() {
    message_->msg_iovlen = pieces_;
    if (last_ != nullptr) last_->iov_len = last_bytes_;
  }
  ShortenedMessage(const ShortenedMessage&) = delete;
  ShortenedMessage& operator=(const ShortenedMessage&) = delete;

 private:
  msghdr* const message_;
  const size_t pieces_;
  iovec* last_ = nullptr;
  size_t last_bytes_ = 0;
};

}  // namespace ferrite
