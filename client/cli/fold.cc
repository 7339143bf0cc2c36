#include "client/cli/fold.h"

namespace ferrite::cli {

std::vector<std::string> Folded(const std::vector<std::string>& parts, std::string_view separator,
                                size_t width, std::string_view indent) {
  std::vector<std::string> lines;
  bool fresh = true;
  for (const std::string& part : parts) {
    if (!fresh && lines.back().size() + separator.size() + part.size() > width) fresh = true;
    if (fresh) {
      lines.emplace_back(indent);
    } else {
      lines.back() += separator;
    }
    lines.back() += part;
    fresh = false;
  }
  return lines;
}

}  // namespace ferrite::cli
