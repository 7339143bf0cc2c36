#include "client/cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>

namespace ferrite::cli {
namespace {

constexpr int kBarWidth = 40;
// Returns to the start of the line and erases it.
constexpr std::string_view kWipe = "\r\x1b[K";

}  // namespace

ProgressLine::ProgressLine() : on_terminal_(isatty(STDERR_FILENO) != 0) {}

ProgressLine::~ProgressLine() { Show(""); }

void ProgressLine::Show(std::string_view text) {
  if (on_terminal_) std::cerr << kWipe << text << std::flush;
}

std::string ProgressBar(std::string_view what, double share) {
  share = std::clamp(share, 0.0, 1.0);
  const auto filled = static_cast<size_t>(share * kBarWidth);
  std::string bar(filled, '=');
  if (filled < kBarWidth) bar += '>';
  bar.resize(kBarWidth, ' ');
  return std::string(what) + " [" + bar + "] " + std::to_string(static_cast<int>(share * 100)) +
         "%";
}

}  // namespace ferrite::cli
