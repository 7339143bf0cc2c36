#include "server/tls/file_stamps.h"

#include <sys/stat.h>

#include <cerrno>

namespace ferrite {
namespace {

int64_t Nanoseconds(const timespec& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

FileStamps StampsOf(const std::vector<std::string>& paths) {
  FileStamps stamps;
  for (const std::string& path : paths) {
    struct stat status;
    if (stat(path.c_str(), &status) != 0) {
      stamps.push_back({.error = errno});
      continue;
    }
    stamps.push_back({.device = status.st_dev,
                      .inode = status.st_ino,
                      .bytes = status.st_size,
                      .modified_ns = Nanoseconds(status.st_mtim),
                      .changed_ns = Nanoseconds(status.st_ctim)});
  }
  return stamps;
}

}  // namespace ferrite
