#pragma once

// Text that replaces itself on a terminal.

#include <optional>
#include <string_view>

#include "client/cli/terminal.h"

namespace ferrite::cli {

// Shows one block of lines after the other on the standard output: on a terminal each replaces the
// previous one without flicker; elsewhere it follows after an empty line.
class Screen {
 public:
  Screen();

  // `block` has no line feed at its end.
  void Show(std::string_view block);

 private:
  const bool moves_;
  bool shown_ = false;
  std::optional<TerminalSize> size_;  // when it was drawn last
};

}  // namespace ferrite::cli
