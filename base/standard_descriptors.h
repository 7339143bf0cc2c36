#pragma once

#include <fcntl.h>
#include <unistd.h>

namespace ferrite {

// Opens /dev/null in the place of each of the three standard descriptors that is closed. Call it
// before anything opens a file: else some socket gets such a number, and is read as the input or
// written to as the log.
inline void OpenStandardDescriptors() {
  // The system gives the lowest number that is free.
  int opened;
  do {
    opened = open("/dev/null", O_RDWR);
  } while (opened >= 0 && opened <= STDERR_FILENO);
  if (opened > STDERR_FILENO) close(opened);
}

}  // namespace ferrite
