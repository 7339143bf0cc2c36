#include "tests/chaos/judge.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

namespace ferrite {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

// Sorts out what the calls of unknown outcome did, as far as others were told of it.
class Unknowns {
 public:
  explicit Unknowns(const std::vector<ObservedCall>& observed) {
    for (const ObservedCall& each : observed) {
      const RecordedCall& call = each.call;
      if (each.outcome == Outcome::kKnown) {
        calls_.push_back(call);
        if (call.done && (call.kind == CallKind::kSet || call.kind == CallKind::kIncr)) {
          written_.insert(call.version);
        }
        if (call.kind == CallKind::kSet && each.may_repeat) repeated_.emplace(call.value, call);
      } else if (each.outcome == Outcome::kUnknown && call.kind == CallKind::kSet) {
        (each.may_repeat ? repeated_ : sets_).emplace(call.value, call);
      } else if (each.outcome == Outcome::kUnknown && call.kind == CallKind::kIncr) {
        incrs_.insert(call.begin_ns);
      } else if (each.outcome == Outcome::kUnknown && call.kind == CallKind::kDelete) {
        deletes_.emplace_back(call.begin_ns, kNever);
      }
    }
  }

  void Resolve() {
    ResolveReads();
    ResolveDeletes();
  }

  std::vector<RecordedCall>& calls() { return calls_; }
  const std::vector<TimeSpan>& deletes() const { return deletes_; }
  std::vector<int64_t> incrs() const { return {incrs_.begin(), incrs_.end()}; }

 private:
  // A version that was read and that nobody is known to have written.
  struct Riddle {
    int64_t told_ns;  // its write began before
    uint64_t version;
    uint64_t value;
    bool operator<(const Riddle& other) const { return told_ns < other.told_ns; }
  };

  void ResolveReads() {
    for (const Riddle& riddle : Riddles()) {
      if (const auto set = sets_.find(riddle.value); set != sets_.end()) {
        AddWrite(set->second, riddle.version, riddle.value);
        sets_.erase(set);
      } else if (const auto again = repeated_.find(riddle.value); again != repeated_.end()) {
        AddWrite(again->second, riddle.version, riddle.value);
      } else if (auto incr = incrs_.upper_bound(riddle.told_ns); incr != incrs_.begin()) {
        // The last one that can have been it: this leaves most to the rest.
        --incr;
        AddWrite({.kind = CallKind::kIncr, .argument = 1, .begin_ns = *incr}, riddle.version,
                 riddle.value);
        incrs_.erase(incr);
      }
    }
  }

  // Those that have to have been written first come first.
  std::vector<Riddle> Riddles() const {
    std::map<uint64_t, Riddle> by_version;
    for (const RecordedCall& call : calls_) {
      if (call.version == 0) continue;
      const Riddle told = {call.end_ns, call.version, call.value};
      const auto [at, is_new] = by_version.emplace(call.version, told);
      if (call.kind == CallKind::kGet) at->second.value = call.value;
      at->second.told_ns = std::min(at->second.told_ns, call.end_ns);
    }
    std::set<uint64_t> read;
    for (const RecordedCall& call : calls_) {
      if (call.kind == CallKind::kGet && call.done) read.insert(call.version);
    }
    std::vector<Riddle> riddles;
    int64_t told_ns = kNever;
    for (auto at = by_version.rbegin(); at != by_version.rend(); ++at) {
      // Whoever was told of a later version was told that this one had been.
      told_ns = std::min(told_ns, at->second.told_ns);
      if (written_.contains(at->first) || !read.contains(at->first)) continue;
      riddles.push_back(at->second);
      riddles.back().told_ns = told_ns;
    }
    std::sort(riddles.begin(), riddles.end());
    return riddles;
  }

  // A Delete may have found what nobody has read.
  void ResolveDeletes() {
    std::vector<RecordedCall> deletes;
    for (const RecordedCall& call : calls_) {
      if (call.kind == CallKind::kDelete && call.done && !written_.contains(call.version)) {
        deletes.push_back(call);
      }
    }
    std::sort(deletes.begin(), deletes.end(),
              [](const auto& a, const auto& b) { return a.end_ns < b.end_ns; });
    for (const RecordedCall& call : deletes) {
      const auto began = [&](const auto& each) { return each.second.begin_ns <= call.end_ns; };
      const auto set = std::find_if(sets_.begin(), sets_.end(), began);
      const auto again = std::find_if(repeated_.begin(), repeated_.end(), began);
      if (set != sets_.end()) {
        AddWrite(set->second, call.version, set->second.value);
        sets_.erase(set);
      } else if (again != repeated_.end()) {
        AddWrite(again->second, call.version, again->second.value);
      }
    }
  }

  void AddWrite(RecordedCall call, uint64_t version, uint64_t value) {
    call.done = true;
    call.previous.reset();
    call.version = version;
    call.value = value;
    call.end_ns = kNever;
    written_.insert(version);
    calls_.push_back(call);
  }

  std::vector<RecordedCall> calls_;            // that are known
  std::set<uint64_t> written_;                 // versions
  std::map<uint64_t, RecordedCall> sets_;      // by value
  std::map<uint64_t, RecordedCall> repeated_;  // likewise
  std::multiset<int64_t> incrs_;               // when they began
  std::vector<TimeSpan> deletes_;
};

}  // namespace

std::optional<std::string> FindBrokenPromise(const std::vector<ObservedCall>& observed,
                                             std::vector<TimeSpan> losses) {
  Unknowns unknowns(observed);
  unknowns.Resolve();
  // A Delete that may come at any later time is to the key as if it were forgotten.
  losses.insert(losses.end(), unknowns.deletes().begin(), unknowns.deletes().end());
  return FindFault(std::move(unknowns.calls()),
                   {.losses = std::move(losses), .unknown_incrs = unknowns.incrs()});
}

int64_t LongestSilenceNs(const std::vector<ObservedCall>& observed, const TimeSpan& span) {
  std::vector<int64_t> answers_ns = {span.first, span.second};
  for (const ObservedCall& each : observed) {
    const int64_t end_ns = each.call.end_ns;
    if (each.outcome == Outcome::kKnown && end_ns > span.first && end_ns < span.second)
      answers_ns.push_back(end_ns);
  }
  std::sort(answers_ns.begin(), answers_ns.end());
  int64_t longest_ns = 0;
  for (size_t i = 1; i < answers_ns.size(); ++i) {
    longest_ns = std::max(longest_ns, answers_ns[i] - answers_ns[i - 1]);
  }
  return longest_ns;
}

int64_t LongestWaitNs(std::vector<ObservedCall> observed, int64_t end_ns) {
  std::sort(observed.begin(), observed.end(),
            [](const auto& a, const auto& b) { return a.call.end_ns < b.call.end_ns; });
  int64_t longest_ns = 0;
  int64_t answered_ns = std::numeric_limits<int64_t>::min();
  int64_t waiting_ns = kNever;  // since then; kNever: nobody is
  for (const ObservedCall& each : observed) {
    waiting_ns = std::min(waiting_ns, std::max(each.call.begin_ns, answered_ns));
    if (each.outcome != Outcome::kKnown) continue;
    answered_ns = each.call.end_ns;
    longest_ns = std::max(longest_ns, answered_ns - waiting_ns);
    waiting_ns = kNever;
  }
  return waiting_ns == kNever ? longest_ns : std::max(longest_ns, end_ns - waiting_ns);
}

}  // namespace ferrite
