#include "client/cli/progress.h"

#include <algorithm>

#include "client/cli/output.h"
#include "client/cli/terminal.h"

namespace ferrite::cli {
namespace {

constexpr int kBarWidth = 40;
// Returns to the start of the line and erases it.
constexpr std::string_view kWipe = "\r\x1b[K";

}  // namespace

ProgressLine::ProgressLine() : shown_(ErrorMoves()) {}

ProgressLine::~ProgressLine() { Show(""); }

void ProgressLine::Show(std::string_view text) {
  if (!shown_) return;
  // A line that reaches the last column goes on in the next, which would not be wiped.
  const auto columns = static_cast<size_t>(ErrorSize().value_or(TerminalSize()).columns);
  PrintUnfinishedNote(std::string(kWipe).append(text.substr(0, columns - 1)));
}

std::string Bar(double share, size_t width) {
  const auto filled = static_cast<size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(width));
  std::string bar(filled, '=');
  if (filled < width) bar += '>';
  bar.resize(width, ' ');
  return "[" + bar + "]";
}

std::string ProgressBar(std::string_view what, double share) {
  const int percent = static_cast<int>(std::clamp(share, 0.0, 1.0) * 100);
  return std::string(what) + " " + Bar(share, kBarWidth) + " " + std::to_string(percent) + "%";
}

}  // namespace ferrite::cli
