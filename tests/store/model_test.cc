// Long random sequences of operations, each answer compared with that of a std::map that is simple
// enough to be right.

#include <charconv>
#include <map>
#include <random>

#include "tests/store/store_fixture.h"

namespace ferrite {
namespace {

struct ModelEntry {
  std::string value;
  uint64_t version = 0;
  int64_t expires_at_ms = 0;  // 0: never
};

class ModelTest : public StoreTest, public testing::WithParamInterface<uint32_t> {
 protected:
  ModelTest() : StoreTest({.shards = 2}), random_(GetParam()) {}

  uint32_t Below(uint32_t bound) { return static_cast<uint32_t>(random_() % bound); }
  bool Chance(uint32_t one_in) { return Below(one_in) == 0; }
  std::string AnyKey() { return "k" + std::string(Below(3) * 40, 'x') + std::to_string(Below(60)); }
  std::string AnyValue() {
    switch (Below(6)) {
      case 0:
        return std::to_string(static_cast<int64_t>(random_()));
      case 1:
        return std::string(Below(5000), 'b');
      default:
        return std::string(Below(100), static_cast<char>('a' + Below(26)));
    }
  }
  std::optional<Expiry> AnyExpiry() {
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

  // The model's entry if it is there now; drops it if it has expired.
  ModelEntry* Find(const std::string& key) {
    const auto found = model_.find(key);
    if (found == model_.end()) return nullptr;
    if (found->second.expires_at_ms != 0 && found->second.expires_at_ms <= clock_.MonotonicMs()) {
      model_.erase(found);
      return nullptr;
    }
    return &found->second;
  }
  std::optional<int64_t> TtlOf(const ModelEntry& entry) {
    if (entry.expires_at_ms == 0) return std::nullopt;
    return entry.expires_at_ms - clock_.MonotonicMs();
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
        return clock_.MonotonicMs() + expiry.ms - clock_.UnixMs();
    }
    return 0;
  }
  void ExpectSame(const ReadResult& result, const ModelEntry* expected) {
    ASSERT_EQ(result.found, expected != nullptr);
    if (expected == nullptr) return;
    ASSERT_EQ(result.value.view(), expected->value);
    ASSERT_EQ(result.version, expected->version);
    ASSERT_EQ(result.ttl_ms, TtlOf(*expected));
  }
  // Records a write and checks that versions of this key only grow.
  void Write(const std::string& key, std::string value, uint64_t version, int64_t expires_at_ms) {
    ASSERT_GT(version, last_versions_[key]);
    last_versions_[key] = version;
    model_[key] = {std::move(value), version, expires_at_ms};
  }

  void DoGet() {
    const std::string key = AnyKey();
    ExpectSame(Read(key), Find(key));
  }
  void DoSet() {
    const std::string key = AnyKey();
    const std::string value = AnyValue();
    const ModelEntry* old = Find(key);
    SetOptions options{.expiry = *AnyExpiry(), .return_previous = Chance(3)};
    if (Chance(4)) options.presence = Chance(2) ? Presence::kAbsent : Presence::kPresent;
    if (options.presence != Presence::kAbsent && Chance(5)) {
      options.if_version = Chance(2) && old != nullptr ? old->version : random_();
    }
    const bool holds =
        (options.presence != Presence::kAbsent || old == nullptr) &&
        (options.presence != Presence::kPresent || old != nullptr) &&
        (!options.if_version || (old != nullptr && old->version == *options.if_version));
    const SetResult result = store_->Set(key, value, options);
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
    const ModelEntry* old = Find(key);
    IncrOptions options{.delta = static_cast<int64_t>(random_()),
                        .initial = static_cast<int64_t>(Below(100))};
    if (Chance(2)) options.delta = static_cast<int64_t>(Below(10)) - 5;
    options.saturate = Chance(2);
    if (Chance(3)) options.expiry = Expiry::After(1 + Below(300));
    options.expiry_only_if_created = Chance(2);
    const IncrResult result = store_->Incr(key, options);
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
    if (__builtin_add_overflow(current, options.delta, &sum)) {
      if (!options.saturate) {
        ASSERT_EQ(result.outcome, IncrOutcome::kOutOfRange);
        return;
      }
      sum = options.delta < 0 ? options.min : options.max;
    }
    ASSERT_EQ(result.outcome, IncrOutcome::kDone);
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
    if (Chance(3)) if_version = Chance(2) && old != nullptr ? old->version : random_();
    const DeleteResult result = store_->Delete(key, if_version);
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
      ASSERT_NO_FATAL_FAILURE(ExpectSame(results[i], Find(names[i])));
  }
  void DoScan() {
    std::multiset<std::string> expected;
    for (auto it = model_.begin(); it != model_.end();) {
      const std::string key = (it++)->first;
      if (Find(key) != nullptr) expected.insert(key);
    }
    std::multiset<std::string> seen;
    for (const std::string& key : ScanAll("k", 1 + Below(20))) {
      if (store_->Exists(key)) seen.insert(key);
    }
    ASSERT_EQ(seen, expected);
    ASSERT_EQ(store_->Stats().entries, expected.size());
  }

  std::mt19937_64 random_;
  std::map<std::string, ModelEntry> model_;
  std::map<std::string, uint64_t> last_versions_;
};

TEST_P(ModelTest, AgreesWithAMap) {
  for (int step = 0; step < 60'000 && !HasFatalFailure(); ++step) {
    SCOPED_TRACE(step);
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
        break;
      case 14:
        store_->Sweep();
        break;
      case 15:
        if (Chance(40)) DoScan();
        break;
      default:
        DoGet();
        break;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, ModelTest, testing::Range(1u, 9u));

}  // namespace
}  // namespace ferrite
