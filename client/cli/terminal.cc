#include "client/cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace ferrite::cli {
namespace {

std::string_view Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool Moves(int file) { return isatty(file) != 0 && Variable("TERM") != "dumb"; }

}  // namespace

bool InputIsTerminal() { return isatty(STDIN_FILENO) != 0; }
bool OutputIsTerminal() { return isatty(STDOUT_FILENO) != 0; }
bool OutputMoves() { return Moves(STDOUT_FILENO); }
bool ErrorMoves() { return Moves(STDERR_FILENO); }
bool OutputHasColor() { return OutputMoves() && Variable("NO_COLOR").empty(); }

std::optional<TerminalSize> OutputSize() {
  winsize size = {};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return std::nullopt;
  return TerminalSize{.columns = size.ws_col, .rows = size.ws_row == 0 ? 24 : size.ws_row};
}

}  // namespace ferrite::cli
