#pragma once

// The client's end of a connection that the guard is tested with.

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <string_view>

namespace ferrite {

// Not thread-safe. Descriptors do not block, and are their makers'.
class TestPeer {
 public:
  // How long it waits for something. An answer takes less than a millisecond.
  static constexpr int kLongestMs = 10'000;

  virtual ~TestPeer() = default;
  // Whether all of it could be sent.
  virtual bool Send(std::string_view bytes) = 0;
  // Appends what comes next. False at the end of the connection, or when nothing comes.
  virtual bool Receive(std::string* bytes) = 0;

 protected:
  // Whether that happens to the descriptor.
  static bool Await(int descriptor, short events) {  // NOLINT(google-runtime-int): poll's
    pollfd waiting{descriptor, events, 0};
    int ready = 0;
    do {
      ready = poll(&waiting, 1, kLongestMs);
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
  }
};

class PlainTestPeer final : public TestPeer {
 public:
  explicit PlainTestPeer(int descriptor) : descriptor_(descriptor) {}

  bool Send(std::string_view bytes) override {
    return send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  bool Receive(std::string* bytes) override {
    if (!Await(descriptor_, POLLIN)) return false;
    char piece[512];
    const ssize_t size = recv(descriptor_, piece, sizeof(piece), 0);
    if (size <= 0) return false;
    bytes->append(piece, static_cast<size_t>(size));
    return true;
  }

 private:
  const int descriptor_;
};

}  // namespace ferrite
