#pragma once

// One thread of the soak: random operations of every kind, each answer checked.

#include <atomic>
#include <cstdint>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "store/store.h"
#include "tests/store/version_floors.h"

namespace ferrite {

// What went wrong: counted, and the first few told. Thread-safe.
class FaultLog {
 public:
  void Report(const std::string& what, const std::string& key);
  uint64_t count() const { return count_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> count_{0};
  std::mutex mutex_;
};

// The keys that a soak uses: some short, some long. The last ones are counters.
class SoakKeys {
 public:
  SoakKeys();
  size_t size() const { return names_.size(); }
  const std::string& operator[](size_t i) const { return names_[i]; }
  bool IsCounter(size_t i) const { return i >= first_counter_; }
  size_t first_counter() const { return first_counter_; }

 private:
  std::vector<std::string> names_;
  size_t first_counter_;
};

// A store under test, with what is known of it.
struct SoakSubject {
  SoakSubject(const SoakKeys* keys, FaultLog* faults, const StoreOptions& options)
      : keys(*keys), faults(*faults), store(options), floors(keys->size()) {}

  // Checks an entry that was found: the value is whole and of this key, the version not older than
  // `floor`.
  void CheckFound(size_t key, VersionFloor floor, const ReadResult& result);

  const SoakKeys& keys;
  FaultLog& faults;
  Store store;
  VersionFloors floors;
};

class SoakWorker {
 public:
  SoakWorker(SoakSubject* subject, uint64_t seed) : subject_(*subject), random_(seed) {}

  // One call of the store, sometimes two.
  void Step();

 private:
  uint32_t Below(uint32_t bound) { return static_cast<uint32_t>(random_() % bound); }
  bool Chance(uint32_t one_in) { return Below(one_in) == 0; }
  // Half of all operations meet on a few keys.
  size_t AnyKey() {
    return Below(static_cast<uint32_t>(Chance(2) ? 8 : subject_.keys.first_counter()));
  }
  size_t AnyCounter();
  size_t AnySize();
  Expiry AnyExpiry();
  std::string AnyValue(size_t key);
  // A few keys, and what may be read of each from now on.
  struct SomeKeys {
    std::vector<size_t> keys;
    std::vector<VersionFloor> floors;
    std::vector<std::string_view> names;
  };
  SomeKeys PickSome();

  void Get();
  void Set();
  void SetWithRoom();
  void SetIfUnchanged();
  void Incr();
  void Delete();
  void Touch();
  void Peek();
  // Calls on many keys: each entry is checked as if it had been called alone.
  void MGet();
  void MSet();
  void MDelete();

  // Checks the version that a write gave, which must be newer than `floor`.
  void CheckWritten(const char* operation, size_t key, VersionFloor floor, uint64_t version);
  // Checks the version that stands in the way of a failed condition; 0 if the key is absent.
  void CheckStanding(const char* operation, size_t key, VersionFloor floor, uint64_t version);
  void CheckDeleted(size_t key, VersionFloor floor, const DeleteResult& result);

  SoakSubject& subject_;
  std::mt19937_64 random_;
  ReadResult result_;
  std::vector<ReadResult> results_;
};

}  // namespace ferrite
