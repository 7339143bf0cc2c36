#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ferrite::bench {

// A connection to a server on a Unix socket that answers in lines and counted bytes. An error ends
// the program with a message.
class PeerConnection {
 public:
  explicit PeerConnection(const std::string& socket_path);
  ~PeerConnection();
  PeerConnection(const PeerConnection&) = delete;
  PeerConnection& operator=(const PeerConnection&) = delete;

  void Send(std::string_view bytes);
  // The next line, without its CR LF; valid until the next call.
  std::string_view Line();
  // Passes over the next `count` bytes.
  void Skip(size_t count);

 private:
  void Receive();

  int socket_;
  std::string buffer_;
  size_t at_ = 0;  // what comes before it has been read
};

// Ends the program: a server said what it should not.
[[noreturn]] void RefuseAnswer(std::string_view peer, std::string_view answer);

}  // namespace ferrite::bench
