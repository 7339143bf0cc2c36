#include "client/cli/top/screen.h"

#include <unistd.h>

#include <cstdio>
#include <string>

namespace ferrite::cli {
namespace {

constexpr std::string_view kClear = "\x1b[2J";
constexpr std::string_view kHome = "\x1b[H";
constexpr std::string_view kClearToEndOfLine = "\x1b[K";
constexpr std::string_view kClearBelow = "\x1b[J";

}  // namespace

Screen::Screen() : on_terminal_(isatty(STDOUT_FILENO) != 0) {}

void Screen::Show(std::string_view block) {
  std::string out;
  if (on_terminal_) {
    // Each line is overwritten and then cleared from its end on, so that nothing flickers.
    if (!shown_) out += kClear;
    out += kHome;
    for (const char c : block) {
      if (c == '\n') out += kClearToEndOfLine;
      out += c;
    }
    out += kClearToEndOfLine;
    out += '\n';
    out += kClearBelow;
  } else {
    if (shown_) out += '\n';
    out += block;
    out += '\n';
  }
  shown_ = true;
  std::fwrite(out.data(), 1, out.size(), stdout);
  std::fflush(stdout);
}

}  // namespace ferrite::cli
