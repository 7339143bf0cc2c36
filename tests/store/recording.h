#pragma once

// Threads that work on a store and write down what they asked, what they were told, and when.

#include <atomic>
#include <charconv>
#include <chrono>
#include <latch>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "store/store.h"
#include "tests/store/linearizability.h"
#include "tests/store/stamped_value.h"

namespace ferrite {

// A key of a recorded run, and the sizes of the values that it gets. Without any it is a counter.
struct RecordedKey {
  std::string name;
  std::vector<size_t> sizes;
};

// All calls on one key.
using KeyHistory = std::vector<RecordedCall>;

// What a value that nobody can have written is recorded as: no stamp and no counter.
inline constexpr uint64_t kTornValue = uint64_t{1} << 31;

// The fences keep the call between its two times, and order nothing that the thread sanitizer
// knows of: it still sees the races of the store.
inline int64_t RecordingTimeNs() {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

// One thread's random calls on a store. `Subject` has the methods of Store.
template <typename Subject>
class RecordingThread {
 public:
  RecordingThread(Subject* subject, std::span<const RecordedKey> keys, uint32_t seed)
      : subject_(*subject),
        keys_(keys),
        random_(seed),
        histories_(keys.size()),
        versions_(keys.size()) {}

  // Some call, but no delete.
  void Step() {
    const size_t key = Below(static_cast<uint32_t>(keys_.size()));
    switch (Below(16)) {
      case 0:
        return Below(3) == 0 ? MSet() : MGet();
      case 1:
        return Touch(key);
      case 2:
        return Exists(key);
      case 3:
        return Read(key, [&] { subject_.Peek(keys_[key].name, true, &result_); });
      case 4:
        return Set(key, CallKind::kSetIfAbsent, {.presence = Presence::kAbsent});
      case 5:
        return Set(key, CallKind::kSetIfPresent, {.presence = Presence::kPresent});
      case 6:
      case 7:
        return Set(key, CallKind::kSetIfVersion, {.if_version = versions_[key]});
      case 8:
      case 9:
      case 10:
        if (keys_[key].sizes.empty()) return Incr(key);
        return Set(key, CallKind::kSet, {.return_previous = Below(2) == 0});
      default:
        return Read(key, [&] { subject_.Get(keys_[key].name, {}, &result_); });
    }
  }

  void Delete() {
    if (Below(8) == 0) return MDelete();
    const size_t key = Below(static_cast<uint32_t>(keys_.size()));
    RecordedCall call = Begin(CallKind::kDelete);
    const DeleteResult result = subject_.Delete(keys_[key].name);
    End(&call);
    call.done = result.deleted;
    call.version = result.version;
    Write(key, call);
  }

  uint32_t Below(uint32_t bound) { return random_() % bound; }

  // By key, in the order of `keys`.
  const std::vector<KeyHistory>& histories() const { return histories_; }

 private:
  static RecordedCall Begin(CallKind kind) {
    RecordedCall call;
    call.kind = kind;
    call.begin_ns = RecordingTimeNs();
    return call;
  }
  static void End(RecordedCall* call) { call->end_ns = RecordingTimeNs(); }
  void Write(size_t key, const RecordedCall& call) {
    histories_[key].push_back(call);
    if (call.version != 0) versions_[key] = call.version;
  }

  uint64_t NumberOf(size_t key, std::string_view value) const {
    if (!keys_[key].sizes.empty()) return StampOf(keys_[key].name, value).value_or(kTornValue);
    int64_t number;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc() || end != value.data() + value.size()) return kTornValue;
    return static_cast<uint64_t>(number);
  }
  void Note(size_t key, const ReadResult& result, RecordedCall* call) {
    call->done = result.found;
    call->version = result.version;
    if (result.found) call->value = NumberOf(key, result.value.view());
  }

  template <typename Call>
  void Read(size_t key, Call&& read) {
    RecordedCall call = Begin(CallKind::kGet);
    read();
    End(&call);
    Note(key, result_, &call);
    Write(key, call);
  }

  void MGet() {
    std::vector<std::string_view> names;
    for (const RecordedKey& key : keys_) names.push_back(key.name);
    results_.resize(names.size());
    RecordedCall call = Begin(CallKind::kGet);
    subject_.MGet(names, results_);
    End(&call);
    for (size_t key = 0; key < names.size(); ++key) {
      RecordedCall each = call;
      Note(key, results_[key], &each);
      Write(key, each);
    }
  }

  // What it writes to a key, as bytes.
  std::string AnyValue(size_t key) {
    // A counter is mostly counted; a set of it is one of its numbers.
    const std::vector<size_t>& sizes = keys_[key].sizes;
    if (sizes.empty()) return std::to_string(Below(1'000'000));
    return StampedValue(keys_[key].name, sizes[Below(static_cast<uint32_t>(sizes.size()))],
                        1 + Below(~uint32_t{0}));
  }

  void MSet() {
    std::vector<std::string> values;
    for (size_t key = 0; key < keys_.size(); ++key) values.push_back(AnyValue(key));
    std::vector<SetItem> items;
    for (size_t key = 0; key < keys_.size(); ++key) {
      items.push_back({keys_[key].name, values[key], {.return_previous = true}});
    }
    std::vector<SetResult> results(items.size());
    RecordedCall call = Begin(CallKind::kSet);
    subject_.MSet(items, results);
    End(&call);
    for (size_t key = 0; key < keys_.size(); ++key) {
      RecordedCall each = call;
      each.value = NumberOf(key, values[key]);
      each.done = results[key].outcome == SetOutcome::kStored;
      each.version = results[key].version;
      each.previous = results[key].previous.version;
      Write(key, each);
    }
  }

  void MDelete() {
    std::vector<std::string_view> names;
    for (const RecordedKey& key : keys_) names.push_back(key.name);
    std::vector<DeleteResult> results(names.size());
    RecordedCall call = Begin(CallKind::kDelete);
    subject_.MDelete(names, results);
    End(&call);
    for (size_t key = 0; key < names.size(); ++key) {
      RecordedCall each = call;
      each.done = results[key].deleted;
      each.version = results[key].version;
      Write(key, each);
    }
  }

  void Touch(size_t key) {
    RecordedCall call = Begin(CallKind::kTouch);
    const TouchResult result = subject_.Touch(keys_[key].name, std::nullopt);
    End(&call);
    call.done = result.found;
    call.version = result.version;
    Write(key, call);
  }

  void Exists(size_t key) {
    RecordedCall call = Begin(CallKind::kExists);
    call.done = subject_.Exists(keys_[key].name);
    End(&call);
    Write(key, call);
  }

  void Set(size_t key, CallKind kind, const SetOptions& options) {
    const std::string value = AnyValue(key);
    RecordedCall call = Begin(kind);
    const SetResult result = subject_.Set(keys_[key].name, value, options);
    End(&call);
    call.value = NumberOf(key, value);
    call.argument = options.if_version.value_or(0);
    call.done = result.outcome == SetOutcome::kStored;
    call.version = result.version;
    if (options.return_previous && call.done) call.previous = result.previous.version;
    Write(key, call);
  }

  void Incr(size_t key) {
    RecordedCall call = Begin(CallKind::kIncr);
    call.argument = 1 + Below(9);
    const IncrResult result =
        subject_.Incr(keys_[key].name, {.delta = static_cast<int64_t>(call.argument)});
    End(&call);
    call.done = result.outcome == IncrOutcome::kDone;
    call.value = static_cast<uint64_t>(result.value);
    call.version = result.version;
    Write(key, call);
  }

  Subject& subject_;
  const std::span<const RecordedKey> keys_;
  std::mt19937 random_;
  std::vector<KeyHistory> histories_;
  std::vector<uint64_t> versions_;  // the last ones that this thread met
  ReadResult result_;
  std::vector<ReadResult> results_;
};

// How a run is to be.
struct RecordingOptions {
  uint32_t threads = 8;
  int operations = 20'000;  // of each thread
  // Which of a thread's calls delete: one in this many; 0: none.
  uint32_t one_delete_in = 12;
};

// Lets the threads work, and gives back the history of each key.
template <typename Subject>
std::vector<KeyHistory> Record(Subject* subject, std::span<const RecordedKey> keys,
                               const RecordingOptions& options) {
  std::vector<RecordingThread<Subject>> recordings;
  recordings.reserve(options.threads);
  for (uint32_t t = 0; t < options.threads; ++t) recordings.emplace_back(subject, keys, t);
  std::latch start(options.threads);
  std::vector<std::thread> threads;
  threads.reserve(options.threads);
  for (RecordingThread<Subject>& recording : recordings) {
    threads.emplace_back([&] {
      start.arrive_and_wait();
      for (int i = 0; i < options.operations; ++i) {
        if (options.one_delete_in != 0 && recording.Below(options.one_delete_in) == 0) {
          recording.Delete();
        } else {
          recording.Step();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<KeyHistory> histories(keys.size());
  for (const RecordingThread<Subject>& recording : recordings) {
    for (size_t key = 0; key < keys.size(); ++key) {
      const KeyHistory& part = recording.histories()[key];
      histories[key].insert(histories[key].end(), part.begin(), part.end());
    }
  }
  return histories;
}

// The first fault in any of them; "none" if there is none.
inline std::string FirstFault(std::span<const RecordedKey> keys,
                              const std::vector<KeyHistory>& histories) {
  for (size_t key = 0; key < keys.size(); ++key) {
    if (const auto fault = FindFault(histories[key])) return keys[key].name + ": " + *fault;
  }
  return "none";
}

}  // namespace ferrite
