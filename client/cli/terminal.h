#pragma once

// What the standard streams are, and how to treat them.

#include <optional>

namespace ferrite::cli {

bool InputIsTerminal();
bool OutputIsTerminal();

// Whether the standard output, or error, is a terminal that understands escape sequences: one that
// has a name, in TERM, and is not dumb.
bool OutputMoves();
bool ErrorMoves();

// Whether to print in color: on such a terminal, unless the environment has a NO_COLOR.
bool OutputHasColor();

struct TerminalSize {
  int columns = 80;
  int rows = 24;
  friend bool operator==(const TerminalSize&, const TerminalSize&) = default;
};

// Of the terminal that the standard output, or error, is; absent if it is none, or does not know.
std::optional<TerminalSize> OutputSize();
std::optional<TerminalSize> ErrorSize();

}  // namespace ferrite::cli
