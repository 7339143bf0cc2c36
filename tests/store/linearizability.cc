#include "tests/store/linearizability.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <unordered_map>
#include <utility>

namespace ferrite {
namespace {

using Calls = std::vector<RecordedCall>;
using Fault = std::optional<std::string>;

constexpr std::array kNames = {"Get",          "Touch",        "Exists", "Set",   "SetIfAbsent",
                               "SetIfPresent", "SetIfVersion", "Incr",   "Delete"};

bool IsWrite(const RecordedCall& call) {
  return call.done && call.kind >= CallKind::kSet && call.kind != CallKind::kDelete;
}
bool IsDelete(const RecordedCall& call) { return call.done && call.kind == CallKind::kDelete; }

// Walks through the states of a key in the only order possible.
class Walk {
 public:
  Walk(Calls calls, Allowances allowances)
      : calls_(std::move(calls)), allowances_(std::move(allowances)) {
    std::sort(allowances_.losses.begin(), allowances_.losses.end());
    std::sort(allowances_.unknown_incrs.begin(), allowances_.unknown_incrs.end());
  }

  Fault Run() {
    if (Fault fault = OrderChanges()) return fault;
    std::sort(by_begin_.begin(), by_begin_.end(),
              [this](size_t a, size_t b) { return calls_[a].begin_ns < calls_[b].begin_ns; });
    by_end_ = by_begin_;
    std::sort(by_end_.begin(), by_end_.end(),
              [this](size_t a, size_t b) { return calls_[a].end_ns < calls_[b].end_ns; });
    placed_.resize(calls_.size());
    return Continue(0);
  }

 private:
  // Goes on from the state before the change that is the next.
  Fault Continue(size_t next) {
    for (;; ++next) {
      if (Fault fault = PlaceReads()) return fault;
      const RecordedCall* const change = next < changes_.size() ? &calls_[changes_[next]] : nullptr;
      const bool has_misses = !waiting_[0].empty();
      if (present_ && (has_misses || NeedsAbsence(change)) && !NeedsPresence(change)) {
        if (change != nullptr && change->kind == CallKind::kIncr && !NeedsAbsence(change)) {
          // It may have counted on from here, or from 0 with others.
          Walk other = *this;
          if (other.Lose() && !other.Continue(next)) return std::nullopt;
        } else if (Lose()) {
          if (Fault fault = PlaceReads()) return fault;
        }
      }
      if (change == nullptr) return FaultIfAnyIsLeft();
      if (Fault fault = Change(*change)) return fault;
      Place(changes_[next]);
    }
  }

  // Sorts out which calls change something, and in which order they must have come.
  Fault OrderChanges() {
    std::map<uint64_t, std::pair<const RecordedCall*, const RecordedCall*>> lives;
    for (const RecordedCall& call : calls_) {
      by_begin_.push_back(by_begin_.size());
      if (!IsWrite(call)) continue;
      if (call.version == 0) return call.ToString() + " wrote no version";
      const RecordedCall*& write = lives[call.version].first;
      if (write != nullptr) return write->ToString() + " and " + call.ToString() + ": one version";
      write = &call;
    }
    for (const RecordedCall& call : calls_) {
      if (!IsDelete(call)) continue;
      const auto life = lives.find(call.version);
      if (life == lives.end()) return call.ToString() + " deleted what nobody wrote";
      if (life->second.second != nullptr) {
        return life->second.second->ToString() + " and " + call.ToString() + ": one version";
      }
      life->second.second = &call;
    }
    for (const auto& [version, life] : lives) {
      values_[version] = life.first->value;
      changes_.push_back(static_cast<size_t>(life.first - calls_.data()));
      if (life.second != nullptr) {
        changes_.push_back(static_cast<size_t>(life.second - calls_.data()));
      }
    }
    return std::nullopt;
  }

  // The end of the first call to end that has no place yet: what begins later must wait for it.
  int64_t Horizon() {
    while (first_open_ < by_end_.size() && placed_[by_end_[first_open_]]) ++first_open_;
    return first_open_ < by_end_.size() ? calls_[by_end_[first_open_]].end_ns
                                        : std::numeric_limits<int64_t>::max();
  }

  // Gives a place in the present state to every call that changes nothing, may come now, and fits.
  Fault PlaceReads() {
    Drain(&waiting_[present_ ? version_ : 0]);
    if (present_) Drain(&waiting_for_any_);
    for (; next_begin_ < by_begin_.size() && calls_[by_begin_[next_begin_]].begin_ns <= Horizon();
         ++next_begin_) {
      const size_t i = by_begin_[next_begin_];
      const RecordedCall& call = calls_[i];
      if (IsWrite(call) || IsDelete(call)) continue;
      if (Fault fault = Misfit(call)) return fault;
      const bool any = call.kind == CallKind::kExists && call.done;
      const bool absent = call.version == 0 && !any;
      if (any ? present_ : absent ? !present_ : present_ && call.version == version_) {
        Place(i);
      } else if (any) {
        waiting_for_any_.push_back(i);
      } else if (!absent && call.version <= version_) {
        return call.ToString() + " came after version " + std::to_string(version_) +
               (present_ ? " was written" : " was deleted");
      } else {
        waiting_[call.version].push_back(i);
      }
    }
    return std::nullopt;
  }
  void Drain(std::vector<size_t>* waiting) {
    for (const size_t i : *waiting) Place(i);
    waiting->clear();
  }
  void Place(size_t i) {
    placed_[i] = true;
    // What met nothing would as well come right after the next loss, if it began after that.
    if (calls_[i].version != 0) now_ns_ = std::max(now_ns_, calls_[i].begin_ns);
  }

  // What a change tells of the state before it, if there is one.
  bool NeedsAbsence(const RecordedCall* change) {
    if (change == nullptr) return false;
    return change->kind == CallKind::kSetIfAbsent || change->previous == uint64_t{0} ||
           (change->kind == CallKind::kIncr && present_ &&
            change->value < values_[version_] + change->argument);
  }
  static bool NeedsPresence(const RecordedCall* change) {
    if (change == nullptr) return false;
    return change->kind == CallKind::kDelete || change->kind == CallKind::kSetIfPresent ||
           change->kind == CallKind::kSetIfVersion || change->previous.value_or(0) != 0;
  }

  // Forgets the key, if it may be now.
  bool Lose() {
    const int64_t horizon_ns = Horizon();
    for (const auto& [first_ns, last_ns] : allowances_.losses) {
      const int64_t moment_ns = std::max(now_ns_, first_ns);
      if (moment_ns > std::min(last_ns, horizon_ns)) continue;
      now_ns_ = moment_ns;
      present_ = false;
      return true;
    }
    return false;
  }

  // Whether calls whose outcome is unknown can explain that a counter is so far ahead.
  bool CountedMeanwhile(uint64_t ahead) {
    const auto& incrs = allowances_.unknown_incrs;
    const auto begun = static_cast<uint64_t>(
        std::upper_bound(incrs.begin(), incrs.end(), Horizon()) - incrs.begin());
    if (ahead > begun - std::min(begun, counted_unknown_)) return false;
    if (ahead == 0) return true;
    counted_unknown_ += ahead;
    now_ns_ = std::max(now_ns_, incrs[counted_unknown_ - 1]);
    return true;
  }

  // What is wrong with the answer of a call that changed nothing, in whichever state.
  Fault Misfit(const RecordedCall& call) const {
    if (call.kind == CallKind::kExists || call.version == 0) {
      const bool impossible = call.done || call.kind == CallKind::kSetIfAbsent ||
                              call.kind == CallKind::kSet || call.kind == CallKind::kIncr;
      if (call.kind == CallKind::kExists || !impossible) return std::nullopt;
      return call.ToString() + " cannot be";
    }
    const auto written = values_.find(call.version);
    if (written == values_.end()) return call.ToString() + " met what nobody wrote";
    if (call.kind == CallKind::kGet && call.value != written->second) {
      return call.ToString() +
             " read another value than was written: " + std::to_string(written->second);
    }
    const bool failed_for_no_reason =
        !call.done && (call.kind != CallKind::kSetIfAbsent && call.kind != CallKind::kSetIfVersion);
    if (failed_for_no_reason ||
        (call.kind == CallKind::kSetIfVersion && call.argument == call.version)) {
      return call.ToString() + " failed for no reason";
    }
    return std::nullopt;
  }

  // Goes on to the next state.
  Fault Change(const RecordedCall& call) {
    if (call.begin_ns > Horizon()) {
      return calls_[by_end_[first_open_]].ToString() + " fits nowhere before " + call.ToString();
    }
    const uint64_t standing = present_ ? version_ : 0;
    const uint64_t counted = (present_ ? values_[version_] : 0) + call.argument;
    if ((call.kind == CallKind::kSetIfAbsent && present_) || (IsDelete(call) && !present_) ||
        (call.kind == CallKind::kSetIfPresent && !present_) ||
        (call.kind == CallKind::kSetIfVersion && standing != call.argument) ||
        (call.kind == CallKind::kIncr && !CountedMeanwhile(call.value - counted)) ||
        (call.previous.has_value() && *call.previous != standing)) {
      return call.ToString() + " came when version " + std::to_string(version_) +
             (present_ ? " was there" : " was gone");
    }
    present_ = !IsDelete(call);
    version_ = call.version;
    return std::nullopt;
  }

  Fault FaultIfAnyIsLeft() {
    if (Horizon() == std::numeric_limits<int64_t>::max()) return std::nullopt;
    return calls_[by_end_[first_open_]].ToString() + " fits nowhere";
  }

  const Calls calls_;
  Allowances allowances_;
  std::vector<size_t> changes_;                    // writes and deletes, in order
  std::unordered_map<uint64_t, uint64_t> values_;  // by version
  std::vector<size_t> by_begin_;
  std::vector<size_t> by_end_;
  size_t next_begin_ = 0;
  size_t first_open_ = 0;
  std::vector<bool> placed_;

  // The present state, and the calls that may come now and wait for another: for a version, 0
  // being absence, or for any.
  bool present_ = false;
  uint64_t version_ = 0;  // the last one when absent
  int64_t now_ns_ = 0;    // the next loss comes at this moment or later
  uint64_t counted_unknown_ = 0;
  std::unordered_map<uint64_t, std::vector<size_t>> waiting_;
  std::vector<size_t> waiting_for_any_;
};

}  // namespace

std::string RecordedCall::ToString() const {
  std::string text = kNames[static_cast<size_t>(kind)];
  text += done ? " (done)" : " (nothing)";
  text += " value " + std::to_string(value) + " version " + std::to_string(version);
  if (kind == CallKind::kSetIfVersion) text += " if " + std::to_string(argument);
  if (kind == CallKind::kIncr) text += " by " + std::to_string(static_cast<int64_t>(argument));
  if (previous.has_value()) text += " previous " + std::to_string(*previous);
  return text + " [" + std::to_string(begin_ns) + ", " + std::to_string(end_ns) + "]";
}

std::optional<std::string> FindFault(std::vector<RecordedCall> calls, Allowances allowances) {
  return Walk(std::move(calls), std::move(allowances)).Run();
}

}  // namespace ferrite
