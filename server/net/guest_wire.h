#pragma once

// How a guest of the Doorman is spoken to: in plaintext, or by somebody who knows TLS.

#include <sys/socket.h>
#include <sys/types.h>

#include <cstddef>

namespace ferrite {

// Not thread-safe. Descriptors do not block, and outlive their wires.
class GuestWire {
 public:
  // What has to happen before anything else can: a handshake may have to be read before something
  // is written, and the other way round.
  enum class Wait { kNothing, kInput, kOutput };

  virtual ~GuestWire() = default;
  // As recv() and send() do.
  virtual ssize_t Receive(void* bytes, size_t most) = 0;
  virtual ssize_t Send(const void* bytes, size_t size) = 0;
  virtual Wait wait() const = 0;
};

class PlainGuestWire final : public GuestWire {
 public:
  explicit PlainGuestWire(int descriptor) : descriptor_(descriptor) {}

  ssize_t Receive(void* bytes, size_t most) override { return recv(descriptor_, bytes, most, 0); }
  ssize_t Send(const void* bytes, size_t size) override {
    return send(descriptor_, bytes, size, MSG_NOSIGNAL);
  }
  Wait wait() const override { return Wait::kNothing; }

 private:
  const int descriptor_;
};

}  // namespace ferrite
