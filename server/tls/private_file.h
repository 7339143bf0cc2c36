#pragma once

// A file that only this process can name, for libraries that read nothing but files.

#include <string>
#include <string_view>

#include "base/descriptor.h"

namespace ferrite {

// Not thread-safe; whoever opens the path meanwhile gets all of the old content, or all of the new.
class PrivateFile {
 public:
  // Ends the process where there is no descriptor for it, as at the start of a server there is.
  explicit PrivateFile(std::string_view content);

  const std::string& path() const { return path_; }
  // Whether it was; left alone where there is no memory or no descriptor.
  [[nodiscard]] bool Replace(std::string_view content);

 private:
  Descriptor file_;
  std::string path_;
};

}  // namespace ferrite
