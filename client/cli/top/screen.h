#pragma once

// Text that replaces itself on a terminal.

#include <string_view>

namespace ferrite::cli {

// Shows one block of lines after the other on the standard output: on a terminal in the place of
// the one before, without flicker; elsewhere below it, with an empty line between.
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
