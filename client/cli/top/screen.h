#pragma once

// Text that replaces itself on a terminal.

#include <string_view>

namespace ferrite::cli {

// Shows one block of lines after the other on the standard output: on a terminal each replaces the
// previous one without flicker; elsewhere it follows after an empty line.
class Screen {
 public:
  Screen();

  // `block` has no line feed at its end.
  void Show(std::string_view block);

 private:
  const bool on_terminal_;
  bool shown_ = false;
};

}  // namespace ferrite::cli
