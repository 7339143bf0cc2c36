#pragma once

// One line on stderr that is rewritten as work progresses. Silent if stderr is not a terminal that
// can do that.

#include <string>
#include <string_view>

namespace ferrite::cli {

class ProgressLine {
 public:
  ProgressLine();
  // Wipes the line.
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Shows as much of `text`, which is ASCII, as fits into a line.
  void Show(std::string_view text);

 private:
  const bool shown_;
};

// "[=====>    ]", `width` characters between the brackets.
std::string Bar(double share, size_t width);

// "Writing keys [=====>    ] 52%", where `share` is 0.52.
std::string ProgressBar(std::string_view what, double share);

}  // namespace ferrite::cli
