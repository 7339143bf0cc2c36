#pragma once

// Owns a file descriptor, and closes it in the end.

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace ferrite {

class Descriptor {
 public:
  Descriptor() = default;
  // A negative one, as system calls return that fail, stands for none.
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  Descriptor(Descriptor&& other) noexcept : descriptor_(other.Take()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this == &other) return *this;
    Close();
    descriptor_ = other.Take();
    return *this;
  }
  ~Descriptor() { Close(); }

  bool valid() const { return descriptor_ >= 0; }
  int get() const { return descriptor_; }
  // The caller closes it.
  int Take() { return std::exchange(descriptor_, -1); }
  // Leaves errno alone.
  void Close() {
    if (!valid()) return;
    const int error = errno;
    close(Take());
    errno = error;
  }

 private:
  int descriptor_ = -1;
};

}  // namespace ferrite
