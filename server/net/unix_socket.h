#pragma once

// Unix domain sockets to listen on, and the files that stand for them.

#include <sys/types.h>

#include <string>

#include "absl/status/statusor.h"
#include "base/descriptor.h"

namespace ferrite {

struct UnixSocket {
  Descriptor descriptor;
  // Which file it is.
  dev_t device;
  ino_t inode;
};

// Listens on a socket whose file has the permissions `mode`. A socket's file that is there already
// is replaced if nobody listens; two servers that start at the same time do not replace each
// other's. UNAVAILABLE with the reason in the text if somebody listens, or if it is another kind of
// file.
absl::StatusOr<UnixSocket> ListenOnPath(const std::string& path, mode_t mode, int backlog);

// Listens on a socket in the abstract name space, which has no file and no permissions.
absl::StatusOr<Descriptor> ListenOnName(const std::string& name, int backlog);

// Whether a socket is a Unix domain socket with a file, whose permissions say who may connect.
bool HasFile(int socket);

// Removes the file of a socket unless another has taken its place.
void RemoveSocketFile(const std::string& path, dev_t device, ino_t inode);

}  // namespace ferrite
