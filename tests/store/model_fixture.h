#pragma once

// The store beside a std::map that is simple enough to be right: each call is made on both, and the
// answers are compared.
//
// Eviction is the store's own choice, so the model follows it: an entry may be gone, if the store
// counts an eviction for it, but what is there must be right, and what comes after must be newer.

#include <charconv>
#include <map>

#include "store/entries/expiry_time.h"
#include "tests/store/store_fixture.h"

namespace ferrite {

struct ModelEntry {
  std::string value;
  uint64_t version = 0;
  int64_t expires_at_ms = 0;  // as the store keeps it; 0: never
  uint64_t life = 0;          // another each time the key comes
  // It was over by the wall clock when that was set back, and nobody had asked: the store may have
  // taken it out.
  bool may_be_gone = false;
};

struct ModelOptions {
  uint32_t seed = 1;
  size_t shards = 2;
  size_t max_memory_bytes = 0;
  bool evict = true;
  uint32_t keys = 60;  // of each of three lengths
  bool expiry = true;
  bool limit_moves = false;   // up and down, and away; entries are evicted then, or writes refused
  bool clock_is_set = false;  // the wall clock, forward and back
};

// A scan that goes on step by step while other operations come in between.
struct OpenScan {
  ScanCursor cursor;
  std::map<std::string, uint64_t> lives;  // what was there when it began
  std::map<std::string, int> seen;
};

// Makes the calls; a derived class says which, by the numbers that it gives.
class ModelFixture : public StoreTest {
 protected:
  explicit ModelFixture(const ModelOptions& options)
      : StoreTest({.shards = options.shards,
                   .max_memory_bytes = options.max_memory_bytes,
                   .evict = options.evict}),
        options_(options) {}

  // Any number below `bound`, and any number.
  virtual uint32_t Below(uint32_t bound) = 0;
  virtual uint64_t Any() = 0;

  bool evicts() const { return options_.max_memory_bytes != 0 && options_.evict; }
  bool may_be_full() const { return options_.max_memory_bytes != 0 && !options_.evict; }

  bool Chance(uint32_t one_in) { return Below(one_in) == 0; }
  std::string AnyKey() {
    return "k" + std::string(Below(3) * 40, 'x') + std::to_string(Below(options_.keys));
  }
  std::string AnyValue() {
    switch (Below(6)) {
      case 0:
        return std::to_string(static_cast<int64_t>(Any()));
      case 1:
        return std::string(Below(5000), 'b');
      default:
        return std::string(Below(100), static_cast<char>('a' + Below(26)));
    }
  }
  std::optional<Expiry> AnyExpiry() {
    if (!options_.expiry) return Chance(2) ? Expiry::Keep() : Expiry::Never();
    switch (Below(5)) {
      case 0:
        return Expiry::After(1 + Below(300));
      case 1:
        return Expiry::At(clock_.UnixMs() + 1 + Below(300));
      case 2:
        return Expiry::Keep();
      default:
        return Expiry::Never();
    }
  }

  bool IsOver(const ModelEntry& entry) const {
    return entry.expires_at_ms != 0 && LeftMs(entry.expires_at_ms, clock_) <= 0;
  }
  // The model's entry if it is there now, for a call that may not ask the store for it.
  ModelEntry* Look(const std::string& key) {
    const auto found = model_.find(key);
    if (found == model_.end() || IsOver(found->second)) return nullptr;
    ModelEntry& entry = found->second;
    if (entry.may_be_gone && !store_->Exists(key)) {
      model_.erase(found);
      ++expired_;
      return nullptr;
    }
    entry.may_be_gone = false;
    return &entry;
  }
  // The same where the store is asked, which has it gone for good if it has expired.
  ModelEntry* Find(const std::string& key) {
    ModelEntry* const entry = Look(key);
    if (entry == nullptr) expired_ += model_.erase(key);
    return entry;
  }
  // The entry of a key, given whether the store says that it is there: it may have been evicted.
  ModelEntry* FindUnlessEvicted(const std::string& key, bool there) {
    ModelEntry* entry = Find(key);
    if (entry == nullptr || there || !evicts()) return entry;
    model_.erase(key);
    ++evicted_;
    return nullptr;
  }
  // Lets the model notice everything that has expired or was evicted.
  void Reconcile() {
    for (auto it = model_.begin(); it != model_.end();) {
      const std::string key = (it++)->first;
      FindUnlessEvicted(key, store_->Exists(key));
    }
  }
  std::optional<int64_t> TtlOf(const ModelEntry& entry) {
    if (entry.expires_at_ms == 0) return std::nullopt;
    return LeftMs(entry.expires_at_ms, clock_);
  }
  int64_t ExpiresAt(const Expiry& expiry, const ModelEntry* old) {
    switch (expiry.kind) {
      case Expiry::Kind::kNever:
        return 0;
      case Expiry::Kind::kKeep:
        return old == nullptr ? 0 : old->expires_at_ms;
      case Expiry::Kind::kAfter:
        return clock_.MonotonicMs() + expiry.ms;
      case Expiry::Kind::kAt:
        return ExpiryAtUnixMs(expiry.ms);
    }
    return 0;
  }
  void ExpectSame(const std::string& key, const ReadResult& result) {
    ExpectSame(result, FindUnlessEvicted(key, result.found));
  }
  void ExpectSame(const ReadResult& result, const ModelEntry* expected) {
    ASSERT_EQ(result.found, expected != nullptr);
    if (expected == nullptr) return;
    ASSERT_EQ(result.value.view(), expected->value);
    ASSERT_EQ(result.version, expected->version);
    ASSERT_EQ(result.ttl_ms, TtlOf(*expected));
  }
  // Whether a write was refused for want of memory, as it may be: then it changed nothing.
  bool Refused(bool full) {
    refused_ += full;
    return full && may_be_full();
  }
  // Records a write and checks that versions of this key only grow.
  void Write(const std::string& key, std::string value, uint64_t version, int64_t expires_at_ms) {
    ASSERT_GT(version, last_versions_[key]);
    last_versions_[key] = version;
    const ModelEntry* old = Find(key);
    const uint64_t life = old == nullptr ? ++lives_ : old->life;
    model_[key] = {std::move(value), version, expires_at_ms, life};
  }

  void DoGet() {
    const std::string key = AnyKey();
    ExpectSame(key, Read(key));
  }
  void DoSet() {
    const std::string key = AnyKey();
    const std::string value = AnyValue();
    ModelEntry* old = Look(key);
    SetOptions options{.expiry = *AnyExpiry(), .return_previous = evicts() || Chance(3)};
    if (Chance(4)) options.presence = Chance(2) ? Presence::kAbsent : Presence::kPresent;
    if (options.presence != Presence::kAbsent && Chance(5)) {
      options.if_version = Chance(2) && old != nullptr ? old->version : Any();
    }
    const SetResult result = store_->Set(key, value, options);
    if (Refused(result.outcome == SetOutcome::kMemoryFull)) return;
    // The write itself may have evicted the entry that it was to find.
    old = FindUnlessEvicted(key, result.previous.found);
    const bool holds =
        (options.presence != Presence::kAbsent || old == nullptr) &&
        (options.presence != Presence::kPresent || old != nullptr) &&
        (!options.if_version || (old != nullptr && old->version == *options.if_version));
    ASSERT_EQ(result.outcome, holds ? SetOutcome::kStored : SetOutcome::kConditionFailed);
    if (options.return_previous) ExpectSame(result.previous, old);
    if (holds) {
      Write(key, value, result.version, ExpiresAt(options.expiry, old));
    } else {
      ASSERT_EQ(result.version, old == nullptr ? 0 : old->version);
    }
  }
  void DoIncr() {
    const std::string key = AnyKey();
    IncrOptions options{.delta = static_cast<int64_t>(Any()),
                        .initial = static_cast<int64_t>(Below(100))};
    if (Chance(2)) options.delta = static_cast<int64_t>(Below(10)) - 5;
    options.saturate = Chance(2);
    if (Chance(2)) {
      options.min = static_cast<int64_t>(Chance(2) ? Any() : Below(20) - 10);
      options.max = static_cast<int64_t>(Chance(2) ? Any() : Below(20) - 10);
      if (options.min > options.max) std::swap(options.min, options.max);
    }
    if (options_.expiry && Chance(3)) options.expiry = Expiry::After(1 + Below(300));
    options.expiry_only_if_created = Chance(2);
    Look(key);
    const IncrResult result = store_->Incr(key, options);
    if (Refused(result.outcome == IncrOutcome::kMemoryFull)) return;
    const bool found = !result.created && result.version != 0;
    const ModelEntry* old = FindUnlessEvicted(key, found);
    int64_t current = options.initial;
    if (old != nullptr) {
      const char* end = old->value.data() + old->value.size();
      const auto parsed = std::from_chars(old->value.data(), end, current);
      if (parsed.ec != std::errc() || parsed.ptr != end || std::to_string(current) != old->value) {
        ASSERT_EQ(result.outcome, IncrOutcome::kNotACounter);
        return;
      }
    }
    int64_t sum;
    const bool up = options.delta > 0, down = options.delta < 0;
    const bool wraps = __builtin_add_overflow(current, options.delta, &sum);
    const bool too_far =
        (up && (wraps || sum > options.max)) || (down && (wraps || sum < options.min));
    if (too_far && !options.saturate) {
      ASSERT_EQ(result.outcome, IncrOutcome::kOutOfRange);
      ASSERT_EQ(result.value, current);
      return;
    }
    if (too_far && up) sum = current > options.max ? current : options.max;
    if (too_far && down) sum = current < options.min ? current : options.min;
    ASSERT_EQ(result.outcome, IncrOutcome::kDone);
    ASSERT_EQ(result.saturated, too_far);
    ASSERT_EQ(result.value, sum);
    ASSERT_EQ(result.created, old == nullptr);
    const bool keep = old != nullptr && options.expiry_only_if_created;
    Write(key, std::to_string(sum), result.version,
          ExpiresAt(keep ? Expiry::Keep() : options.expiry, old));
    ASSERT_EQ(result.ttl_ms, TtlOf(model_[key]));
  }
  void DoDelete() {
    const std::string key = AnyKey();
    const ModelEntry* old = Find(key);
    std::optional<uint64_t> if_version;
    if (Chance(3)) if_version = Chance(2) && old != nullptr ? old->version : Any();
    const DeleteResult result = store_->Delete(key, if_version);
    if (evicts()) old = FindUnlessEvicted(key, result.version != 0);
    ASSERT_EQ(result.deleted, old != nullptr && (!if_version || *if_version == old->version));
    ASSERT_EQ(result.version, old == nullptr ? 0 : old->version);
    if (result.deleted) model_.erase(key);
  }
  void DoTouch() {
    const std::string key = AnyKey();
    ModelEntry* old = Find(key);
    std::optional<Expiry> expiry = Chance(2) ? std::nullopt : AnyExpiry();
    if (expiry && expiry->kind == Expiry::Kind::kKeep) expiry.reset();
    const TouchResult result = store_->Touch(key, expiry);
    if (evicts()) old = FindUnlessEvicted(key, result.found);
    ASSERT_EQ(result.found, old != nullptr);
    if (old == nullptr) return;
    if (expiry) old->expires_at_ms = ExpiresAt(*expiry, old);
    ASSERT_EQ(result.version, old->version);
    ASSERT_EQ(result.ttl_ms, TtlOf(*old));
  }
  void DoMGet() {
    std::vector<std::string> names;
    for (uint32_t i = Below(40); i > 0; --i) names.push_back(AnyKey());
    const std::vector<std::string_view> keys(names.begin(), names.end());
    std::vector<ReadResult> results(keys.size());
    store_->MGet(keys, results);
    for (size_t i = 0; i < keys.size(); ++i)
      ASSERT_NO_FATAL_FAILURE(ExpectSame(names[i], results[i]));
  }
  std::multiset<std::string> ModelKeys() const {
    std::multiset<std::string> keys;
    for (const auto& [key, entry] : model_) keys.insert(key);
    return keys;
  }
  // The store holds what the model holds, and has counted what became of the rest.
  void ExpectSameContent() {
    Reconcile();
    const std::multiset<std::string> expected = ModelKeys();
    std::multiset<std::string> seen;
    for (const std::string& key : ScanAll("k", 1 + Below(20))) {
      if (store_->Exists(key)) seen.insert(key);
    }
    ASSERT_EQ(seen, expected);
    ASSERT_EQ(store_->Stats().entries, expected.size());
    if (Chance(2)) return;
    SweepAll();   // it may begin in the middle,
    SweepAll();   // and then has the other half to do
    Reconcile();  // where the memory is above its limit, a sweep evicts
    ASSERT_EQ(ScanAll("k", 7), ModelKeys());
    // An entry that is evicted before its time is up may look expired to the model, which finds out
    // later.
    const StoreStats stats = store_->Stats();
    ASSERT_EQ(stats.evictions + stats.expired_on_access + stats.expired_by_sweep,
              evicted_ + expired_);
    ASSERT_GE(stats.evictions, evicted_);
    if (!evicts() || !options_.expiry) {
      ASSERT_EQ(stats.evictions, evicted_);
    }
  }
  void DoFlush() {
    Reconcile();
    ASSERT_EQ(store_->Flush(), model_.size());
    model_.clear();
    const StoreStats stats = store_->Stats();
    ASSERT_EQ(stats.entries, 0u);
    ASSERT_EQ(stats.slot_bytes, 0u);
    ASSERT_EQ(stats.block_bytes, 0u);
  }

  void DoScanStep() {
    if (scans_.size() < 3 && Chance(5)) {
      Reconcile();
      OpenScan& scan = scans_.emplace_back();
      for (const auto& [key, entry] : model_) scan.lives[key] = entry.life;
    }
    if (scans_.empty()) return;
    const size_t which = Below(static_cast<uint32_t>(scans_.size()));
    OpenScan& scan = scans_[which];
    std::vector<ScannedKey> keys;
    const bool more = store_->Scan("k", 1 + Below(options_.keys / 4), &scan.cursor, &keys);
    for (const ScannedKey& each : keys) {
      ASSERT_TRUE(last_versions_.contains(each.key)) << each.key;
      ++scan.seen[each.key];
    }
    if (more) return;
    // Whatever lived all the time was given once.
    Reconcile();
    for (const auto& [key, entry] : model_) {
      const auto began = scan.lives.find(key);
      if (began == scan.lives.end() || began->second != entry.life) continue;
      ASSERT_EQ(scan.seen[key], 1) << key;
      ++lived_through_;
    }
    scans_.erase(scans_.begin() + static_cast<ptrdiff_t>(which));
  }

  // Somebody sets the wall clock, and the steady one goes on.
  void SetWallClock(int64_t step_ms) {
    if (step_ms < 0) {
      for (auto& [key, entry] : model_) entry.may_be_gone |= IsOver(entry);
    }
    clock_.SetUnixMs(clock_.UnixMs() + step_ms);
  }

  // One call, or a few.
  void Step() {
    switch (Below(20)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        DoSet();
        break;
      case 5:
      case 6:
      case 7:
        DoIncr();
        break;
      case 8:
      case 9:
        DoDelete();
        break;
      case 10:
      case 11:
        DoTouch();
        break;
      case 12:
        DoMGet();
        break;
      case 13:
        clock_.Advance(Below(50));
        if (options_.clock_is_set && Chance(4)) {
          SetWallClock(static_cast<int64_t>(Below(400)) - 200);
        }
        break;
      case 14:
        store_->Sweep();
        if (options_.limit_moves && Chance(20)) {
          store_->SetMaxMemoryBytes(options_.max_memory_bytes / 2 * Below(4));
        }
        break;
      case 15:
        if (Chance(40)) ExpectSameContent();
        if (Chance(500)) DoFlush();
        break;
      case 16:
        DoScanStep();
        break;
      default:
        DoGet();
        break;
    }
  }

  const ModelOptions options_;
  std::map<std::string, ModelEntry> model_;
  std::map<std::string, uint64_t> last_versions_;
  std::vector<OpenScan> scans_;
  uint64_t lives_ = 0;
  uint64_t lived_through_ = 0;
  uint64_t expired_ = 0;
  uint64_t evicted_ = 0;
  uint64_t refused_ = 0;
};

}  // namespace ferrite
