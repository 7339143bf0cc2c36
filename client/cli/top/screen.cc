#include "client/cli/top/screen.h"

#include <string>

#include "client/cli/output.h"

namespace ferrite::cli {
namespace {

constexpr std::string_view kClear = "\x1b[2J";
constexpr std::string_view kHome = "\x1b[H";
constexpr std::string_view kClearToEndOfLine = "\x1b[K";
constexpr std::string_view kClearBelow = "\x1b[J";

}  // namespace

Screen::Screen() : moves_(OutputMoves()) {}

void Screen::Show(std::string_view block) {
  std::string out;
  if (moves_) {
    // Each line is overwritten and then cleared from its end on, so that nothing flickers. A new
    // size has broken the lines anew.
    const std::optional<TerminalSize> size = OutputSize();
    if (!shown_ || size != size_) out += kClear;
    size_ = size;
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
  PrintBytes(out);
  FlushOutput();
}

}  // namespace ferrite::cli
