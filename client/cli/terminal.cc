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

bool Moves(int file) {
  const std::string_view name = Variable("TERM");
  return isatty(file) != 0 && !name.empty() && name != "dumb";
}

std::optional<TerminalSize> SizeOf(int file) {
  winsize size = {};
  if (ioctl(file, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return std::nullopt;
  return TerminalSize{.columns = size.ws_col, .rows = size.ws_row == 0 ? 24 : size.ws_row};
}

}  // namespace

bool InputIsTerminal() { return isatty(STDIN_FILENO) != 0; }
bool OutputIsTerminal() { return isatty(STDOUT_FILENO) != 0; }
bool OutputMoves() { return Moves(STDOUT_FILENO); }
bool ErrorMoves() { return Moves(STDERR_FILENO); }
bool OutputHasColor() { return OutputMoves() && Variable("NO_COLOR").empty(); }

std::optional<TerminalSize> OutputSize() { return SizeOf(STDOUT_FILENO); }
std::optional<TerminalSize> ErrorSize() { return SizeOf(STDERR_FILENO); }

}  // namespace ferrite::cli
