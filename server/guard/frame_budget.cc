#include "server/guard/frame_budget.h"

#include <algorithm>

namespace ferrite {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;
// While there is a flood, whoever connects anew could send a whole share each time.
constexpr int64_t kPartInFlood = 8;

// When the last of them is due; nothing if that is too far ahead.
std::optional<int64_t> Due(const FrameRate& rate, int64_t due_ns, int64_t now_ns, int64_t count) {
  const int64_t each_ns = kNsPerSecond / rate.per_second;
  if (count > rate.burst) return std::nullopt;
  const int64_t due = std::max(due_ns, now_ns) + count * each_ns;
  if (due - now_ns > rate.burst * each_ns) return std::nullopt;
  return due;
}

int64_t Share(int64_t all, size_t connections) {
  return all / static_cast<int64_t>(std::max<size_t>(connections, 1));
}

}  // namespace

bool TokenBucket::Take(const FrameRate& rate, int64_t now_ns, int64_t count) {
  const std::optional<int64_t> due = Due(rate, due_ns_, now_ns, count);
  if (due.has_value()) due_ns_ = *due;
  return due.has_value();
}

bool SharedTokenBucket::Take(const FrameRate& rate, int64_t now_ns, int64_t count) {
  int64_t seen = due_ns_.load(std::memory_order_relaxed);
  for (;;) {
    const std::optional<int64_t> due = Due(rate, seen, now_ns, count);
    if (!due.has_value()) return false;
    if (due_ns_.compare_exchange_weak(seen, *due, std::memory_order_relaxed)) return true;
  }
}

int64_t RecentCount::Add(int64_t now_ns, int64_t count) {
  const int64_t second = now_ns / kNsPerSecond;
  if (second != second_) {
    before_ = second == second_ + 1 ? now_ : 0;
    now_ = 0;
    second_ = second;
  }
  now_ += count;
  return before_ + now_;
}

std::optional<CutReason> FrameBudget::Charge(const FrameCounts& frames, int64_t now_ns,
                                             size_t connections, ProcessFrameBudget* process) {
  const FrameLimits& limits = process->limits();
  for (size_t kind = 0; kind < kCountedFrames; ++kind) {
    const int64_t count = frames[kind];
    if (count == 0) continue;
    const auto reason = static_cast<CutReason>(kind);
    if (!buckets_[kind].Take(limits.connection[kind], now_ns, count)) return reason;
    const int64_t recent = recent_[kind].Add(now_ns, count);
    if (process->Take(kind, now_ns, count)) continue;
    if (recent > Share(limits.process[kind].burst / kPartInFlood, connections)) return reason;
  }
  return std::nullopt;
}

}  // namespace ferrite
