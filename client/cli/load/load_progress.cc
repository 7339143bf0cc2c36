#include "client/cli/load/load_progress.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/byte_amount.h"
#include "client/cli/duration.h"
#include "client/cli/quantity.h"

namespace ferrite::cli {
namespace {

constexpr auto kLoadProgressInterval = std::chrono::milliseconds(100);

}  // namespace

double LoadProgress::seconds() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

void LoadProgress::Update(uint64_t entries, uint64_t bytes) {
  const Clock::time_point now = Clock::now();
  if (now - shown_ < kLoadProgressInterval) return;
  shown_ = now;
  const double passed = seconds();
  std::string text = "Loading";
  double share = 0;
  if (size_ > 0) {
    share = static_cast<double>(bytes) / static_cast<double>(size_);
    text = ProgressBar(text, share);
  }
  absl::StrAppend(&text, " ", RoundedBytes(static_cast<double>(bytes)), ", ", Grouped(entries),
                  " entries, ", RenderRate(static_cast<double>(entries) / passed), "/s");
  if (share > 0 && passed > 1) {
    const absl::Duration left = absl::Seconds(passed * (1 - share) / share);
    absl::StrAppend(&text, ", ", RenderDuration(absl::Floor(left, absl::Seconds(1))), " left");
  }
  line_.Show(text);
}

}  // namespace ferrite::cli
