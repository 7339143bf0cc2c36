#pragma once

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

// Opens /dev/null in the place of each of the three standard descriptors that is closed; else some
// socket gets such a number, and is read as the input or written to as the log. gRPC opens its
// first descriptors before main() begins, when its library is loaded. So a program says in one of
// its files, outside of any function, that this comes before everything else:
//
//   FERRITE_OPEN_STANDARD_DESCRIPTORS;
#define FERRITE_OPEN_STANDARD_DESCRIPTORS                                                    \
  [[gnu::section(".preinit_array"), gnu::used]] static void (*open_standard_descriptors)() = \
      &ferrite::OpenStandardDescriptors

namespace ferrite {

// Nothing is initialized when it runs, sanitizers neither, so it asks the system itself.
[[gnu::no_sanitize("address", "thread", "undefined")]] inline void OpenStandardDescriptors() {
  // The system gives the lowest number that is free.
  ssize_t opened;
  do {
    opened = syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR);
  } while (opened >= 0 && opened <= STDERR_FILENO);
  if (opened > STDERR_FILENO) syscall(SYS_close, opened);
}

}  // namespace ferrite
