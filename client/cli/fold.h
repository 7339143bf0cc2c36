#pragma once

// Lines no longer than a terminal is wide.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ferrite::cli {

// `parts` in lines, with `separator` between those that share one: as many in each as fit into
// `width` columns. A part that is longer has a line of its own. Every line begins with `indent`.
std::vector<std::string> Folded(const std::vector<std::string>& parts, std::string_view separator,
                                size_t width, std::string_view indent = "");

}  // namespace ferrite::cli
