#pragma once

// The sockets on which one service listens.

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/descriptor.h"
#include "server/net/address.h"

namespace ferrite {

// Not thread-safe.
class ServerSockets {
 public:
  // The user and the group of the server.
  static constexpr mode_t kUnixMode = 0660;

  ServerSockets() = default;
  ~ServerSockets() { Close(); }
  ServerSockets(const ServerSockets&) = delete;
  ServerSockets& operator=(const ServerSockets&) = delete;

  // Listens on all of `addresses`, beside those of earlier calls. Each may stand for several: a
  // name for the addresses of both families, "*" for all that there are. Those of a family that
  // this machine does not have are left out as long as one is left. "::" includes IPv4, unless an
  // IPv4 address is listed with the same port. The file of a Unix domain socket gets the
  // permissions `unix_mode`, which say who may connect; one that is there is replaced if nobody
  // listens any more. Fails with the address and the reason in the text.
  absl::Status Listen(const std::vector<Address>& addresses, mode_t unix_mode = kUnixMode);

  std::vector<int> descriptors() const;
  // As they were asked for, with the ports that were bound.
  const std::vector<Address>& addresses() const { return addresses_; }

  // Closes the sockets, and removes the files of Unix domain sockets.
  void Close();

 private:
  // A file that is removed at the end, unless it has become another one.
  struct SocketFile {
    std::string path;
    dev_t device;
    ino_t inode;
  };

  absl::Status ListenTcp(const Address& address, bool v6_only);
  absl::Status ListenUnix(const Address& address, mode_t mode);
  absl::Status ListenAbstract(const Address& address);

  std::vector<Descriptor> descriptors_;
  std::vector<Address> addresses_;
  std::vector<SocketFile> files_;
};

}  // namespace ferrite
