#include "server/net/unix_socket.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <thread>
#include <utility>

#include "base/error_text.h"

namespace ferrite {
namespace {

absl::Status Failed(const std::string& why) { return absl::UnavailableError(why); }
absl::Status Failed(int error) { return Failed(ErrorText(error)); }

Descriptor MakeSocket() {
  return Descriptor(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());  // ParseAddress() has seen to the size
  return address;
}

// Holds the directory against servers that start at the same time, between the look at a file and
// its replacement. Whoever holds it for long is no server, and is not waited for.
Descriptor LockDirectoryOf(const std::string& path) {
  std::string directory = std::filesystem::path(path).parent_path().string();
  if (directory.empty()) directory = ".";
  Descriptor lock(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  constexpr int kTries = 100;
  for (int i = 0; lock.valid() && i < kTries && flock(lock.get(), LOCK_EX | LOCK_NB) != 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return lock;
}

// Removes the file of a socket that nobody listens on.
absl::Status RemoveStale(const std::string& path, const sockaddr_un& address) {
  struct stat status;
  if (lstat(path.c_str(), &status) != 0) return absl::OkStatus();
  if (!S_ISSOCK(status.st_mode)) return Failed("there is a file of that name that is no socket");
  const Descriptor probe = MakeSocket();
  if (!probe.valid()) return Failed(errno);
  if (connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 ||
      errno != ECONNREFUSED) {
    return Failed("address already in use: another process listens there");
  }
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return Failed(errno);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<UnixSocket> ListenOnPath(const std::string& path, mode_t mode, int backlog) {
  const sockaddr_un address = AddressOf(path);
  const Descriptor lock = LockDirectoryOf(path);
  if (absl::Status status = RemoveStale(path, address); !status.ok()) return status;
  Descriptor made = MakeSocket();
  if (!made.valid()) return Failed(errno);
  if (bind(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    return Failed(errno);
  // Nobody can connect before listen(), so there is no moment with other permissions.
  struct stat status;
  if (lstat(path.c_str(), &status) != 0 || chmod(path.c_str(), mode) != 0 ||
      listen(made.get(), backlog) != 0) {
    const int error = errno;
    unlink(path.c_str());
    return Failed(error);
  }
  return UnixSocket{std::move(made), status.st_dev, status.st_ino};
}

absl::StatusOr<Descriptor> ListenOnName(const std::string& name, int backlog) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  Descriptor made = MakeSocket();
  if (!made.valid() || bind(made.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      listen(made.get(), backlog) != 0) {
    return Failed(errno);
  }
  return made;
}

bool HasFile(int socket) {
  sockaddr_un address{};
  socklen_t size = sizeof(address);
  return getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
         address.sun_family == AF_UNIX && size > offsetof(sockaddr_un, sun_path) &&
         address.sun_path[0] != '\0';
}

void RemoveSocketFile(const std::string& path, dev_t device, ino_t inode) {
  struct stat status;
  if (lstat(path.c_str(), &status) == 0 && status.st_dev == device && status.st_ino == inode)
    unlink(path.c_str());
}

}  // namespace ferrite
