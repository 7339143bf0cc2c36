#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace ferrite {

// Which file a path leads to, and when it was last changed. A link in the path that was swapped, as
// `..data` of a Kubernetes volume is, leads to another file.
struct FileStamp {
  int error = 0;  // an errno; all else is 0 then
  dev_t device = 0;
  ino_t inode = 0;
  off_t bytes = 0;
  int64_t modified_ns = 0;
  int64_t changed_ns = 0;

  bool operator==(const FileStamp&) const = default;
};

using FileStamps = std::vector<FileStamp>;

// In the order of `paths`.
FileStamps StampsOf(const std::vector<std::string>& paths);

}  // namespace ferrite
