#include "store/event.h"

#include <gmock/gmock.h>

#include <map>
#include <random>
#include <thread>

#include "tests/store/store_fixture.h"

namespace ferrite {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// An event that outlives its call.
struct KeptEvent {
  EventKind kind;
  std::string key;
  uint64_t version;
  std::string value;
  bool operator==(const KeptEvent&) const = default;
};

void PrintTo(const KeptEvent& event, std::ostream* out) {
  constexpr const char* kNames[] = {"set", "incr", "delete", "expire", "evict"};
  *out << kNames[static_cast<int>(event.kind)] << " " << event.key << " version " << event.version
       << " value \"" << event.value.substr(0, 40) << "\"";
}

class KeepingListener final : public EventListener {
 public:
  void OnEvent(const StoreEvent& event) override {
    events_.push_back(
        {event.kind, std::string(event.key), event.version, std::string(event.value)});
  }
  // What came since the last time.
  std::vector<KeptEvent> Take() { return std::exchange(events_, {}); }

 private:
  std::vector<KeptEvent> events_;
};

class EventTest : public StoreTest {
 protected:
  explicit EventTest(const StoreOptions& options = {.shards = 4}) : StoreTest(options) {
    store_->Listen(&listener_);
  }
  ~EventTest() override { store_->Listen(nullptr); }

  std::vector<KeptEvent> Events() { return listener_.Take(); }
  static KeptEvent SetEvent(std::string key, uint64_t version, std::string value) {
    return {EventKind::kSet, std::move(key), version, std::move(value)};
  }
  static KeptEvent IncrEvent(std::string key, uint64_t version, std::string value) {
    return {EventKind::kIncr, std::move(key), version, std::move(value)};
  }
  static KeptEvent DeleteEvent(std::string key, uint64_t version) {
    return {EventKind::kDelete, std::move(key), version, ""};
  }
  static KeptEvent ExpireEvent(std::string key, uint64_t version) {
    return {EventKind::kExpire, std::move(key), version, ""};
  }

  KeepingListener listener_;
};

class EvictionEventTest : public EventTest {
 protected:
  EvictionEventTest() : EventTest({.shards = 1, .max_memory_bytes = 1 << 20}) {}
};

class FullEventTest : public EventTest {
 protected:
  FullEventTest() : EventTest({.shards = 1, .max_memory_bytes = 1 << 20, .evict = false}) {}
};

// Asks the store once it holds no lock, which would wait for ever if it did.
class AskingListener final : public EventListener {
 public:
  explicit AskingListener(Store* store) : store_(*store) {}
  void OnEvent(const StoreEvent& event) override {
    key_ = event.key;
    ++told;
    EXPECT_TRUE(event.block == nullptr || event.block->bytes() == event.value);
    with_block += event.block != nullptr;
  }
  void AfterEvents(bool more) override {
    ++(more ? calls_within : last_calls);
    EXPECT_GT(told, 0);
    (void)store_.Exists(key_);
    for (int i = 0; i < 200; ++i) (void)store_.Exists("k" + std::to_string(i));
  }

  int told = 0, with_block = 0, calls_within = 0, last_calls = 0;

 private:
  Store& store_;
  std::string key_;
};

TEST_F(EventTest, AListenerIsCalledAgainWithoutALock) {
  AskingListener listener(&*store_);
  store_->Listen(&listener);
  int writes = 0;
  const auto wrote = [&](int events = 1) {
    ++writes;
    EXPECT_EQ(std::exchange(listener.told, 0), events) << writes;
    EXPECT_EQ(std::exchange(listener.last_calls, 0), 1) << writes;
    EXPECT_EQ(std::exchange(listener.calls_within, 0), 0) << writes;
  };
  Set("a", "v");
  wrote();
  Set("a", "w");
  wrote();
  Set("a", std::string(5000, 'v'), {.expiry = Expiry::After(10)});
  wrote();
  EXPECT_EQ(listener.with_block, 1);
  clock_.Advance(10);
  Set("a", "1", {.expiry = Expiry::After(10)});
  wrote(2);  // it had expired
  store_->Incr("a", {});
  wrote();
  store_->Incr("new", {});
  wrote();
  store_->Incr("new", {});
  wrote();
  Delete("new");
  wrote();
  clock_.Advance(10);
  SweepAll();  // takes back what has expired in batches, here of one
  EXPECT_EQ(listener.told, 1);
  EXPECT_EQ(listener.calls_within, 1);
  EXPECT_EQ(listener.last_calls, 1);
  store_->Listen(&listener_);
}

TEST_F(EventTest, AListenerIsCalledOnceAtTheEndOfABatch) {
  AskingListener listener(&*store_);
  store_->Listen(&listener);
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) names.push_back("k" + std::to_string(i));
  std::vector<SetItem> items;
  for (const std::string& name : names) items.push_back({name, "v", {}});
  std::vector<SetResult> set(items.size());
  const std::vector<std::string_view> keys(names.begin(), names.end());
  std::vector<DeleteResult> deleted(keys.size());
  const auto wrote = [&] {
    EXPECT_EQ(std::exchange(listener.told, 0), 100);
    EXPECT_EQ(std::exchange(listener.calls_within, 0), 100);
    EXPECT_EQ(std::exchange(listener.last_calls, 0), 1);
  };
  store_->MSet(items, set);
  wrote();
  store_->MSet(items, set);
  wrote();
  store_->InTurn(keys, [&](size_t i) { Set(keys[i], "w"); });
  wrote();
  store_->MDelete(keys, deleted);
  wrote();
  store_->MDelete(keys, deleted);  // nothing is there
  EXPECT_EQ(listener.last_calls, 0);
  store_->Listen(&listener_);
}

TEST_F(EventTest, WritesTellVersionAndValue) {
  const std::string large(5000, 'v');
  const uint64_t first = store_->Set("k", "1").version;
  const uint64_t second = store_->Incr("k", {.delta = 4}).version;
  const uint64_t third = store_->Set("k", large).version;
  const uint64_t fourth = store_->Set("k", "", {.if_version = third}).version;
  const uint64_t created = store_->Incr("n", {.delta = 1, .initial = 7}).version;
  EXPECT_THAT(Events(), ElementsAre(SetEvent("k", first, "1"), IncrEvent("k", second, "5"),
                                    SetEvent("k", third, large), SetEvent("k", fourth, ""),
                                    IncrEvent("n", created, "8")));
}

TEST_F(EventTest, ADeleteTellsWhatItDeleted) {
  const uint64_t version = store_->Set("k", "v").version;
  Events();
  Delete("k");
  EXPECT_THAT(Events(), ElementsAre(DeleteEvent("k", version)));
}

TEST_F(EventTest, WhatChangesNothingTellsNothing) {
  const uint64_t version = store_->Set("k", "text").version;
  store_->Set("n", "9223372036854775807");
  Events();
  Set("k", "v", {.presence = Presence::kAbsent});
  Set("k", "v", {.if_version = version + 1});
  Set("absent", "v", {.presence = Presence::kPresent});
  Set("absent", "v", {.if_version = version});
  store_->Incr("k", {});
  store_->Incr("n", {});
  store_->Incr("absent", {.delta = 5, .max = 4});
  Delete("absent");
  store_->Delete("k", version + 1);
  Read("k", {.touch_ttl_ms = 1000});
  store_->Touch("k", Expiry::After(2000));
  store_->Exists("k");
  ScanAll();
  SweepAll();
  EXPECT_THAT(Events(), IsEmpty());
}

TEST_F(EventTest, TheSweepTellsWhatExpired) {
  const uint64_t version = store_->Set("k", "v", {.expiry = Expiry::After(10)}).version;
  Set("stays", "v");
  Events();
  SweepAll();
  EXPECT_THAT(Events(), IsEmpty());
  clock_.Advance(10);
  SweepAll();
  EXPECT_THAT(Events(), ElementsAre(ExpireEvent("k", version)));
  SweepAll();
  EXPECT_THAT(Events(), IsEmpty());
}

TEST_F(EventTest, AnExpiredEntryThatIsWrittenAgainExpiresFirst) {
  const uint64_t first = store_->Set("k", "1", {.expiry = Expiry::After(10)}).version;
  clock_.Advance(10);
  const uint64_t second = store_->Set("k", "2", {.expiry = Expiry::After(10)}).version;
  clock_.Advance(10);
  const uint64_t third = store_->Incr("k", {.delta = 3}).version;
  EXPECT_THAT(Events(), ElementsAre(SetEvent("k", first, "1"), ExpireEvent("k", first),
                                    SetEvent("k", second, "2"), ExpireEvent("k", second),
                                    IncrEvent("k", third, "3")));
}

TEST_F(EventTest, AnExpiredEntryExpiresOnceWhoeverMeetsIt) {
  const uint64_t version = store_->Set("k", "v", {.expiry = Expiry::After(10)}).version;
  Events();
  clock_.Advance(10);
  Get("k");
  Set("k", "w", {.presence = Presence::kPresent});
  store_->Touch("k", Expiry::After(1000));
  EXPECT_FALSE(Delete("k"));
  SweepAll();
  EXPECT_THAT(Events(), ElementsAre(ExpireEvent("k", version)));
}

TEST_F(EventTest, FlushTellsEveryDelete) {
  std::map<std::string, uint64_t> versions;
  for (int i = 0; i < 500; ++i) {
    const std::string key = "k" + std::to_string(i);
    versions[key] = store_->Set(key, "v").version;
  }
  Events();
  store_->Flush();
  for (const KeptEvent& event : Events()) {
    EXPECT_EQ(event, DeleteEvent(event.key, versions[event.key]));
    versions.erase(event.key);
  }
  EXPECT_THAT(versions, IsEmpty());
}

TEST_F(EventTest, NobodyIsTold) {
  store_->Listen(nullptr);
  Set("k", "v");
  Delete("k");
  EXPECT_THAT(Events(), IsEmpty());
}

TEST_F(EvictionEventTest, EvictionTellsWhatItTook) {
  std::map<std::string, uint64_t> versions;
  for (int i = 0; i < 5000; ++i) {
    const std::string key = "k" + std::to_string(i);
    versions[key] = store_->Set(key, std::string(900, 'v')).version;
  }
  uint64_t evictions = 0;
  for (const KeptEvent& event : Events()) {
    if (event.kind != EventKind::kEvict) continue;
    ++evictions;
    ASSERT_EQ(event.version, versions[event.key]);
    ASSERT_EQ(event.value, "");
    versions.erase(event.key);
  }
  EXPECT_GT(evictions, 1000u);
  EXPECT_EQ(evictions, store_->Stats().evictions);
  const std::multiset<std::string> left = ScanAll();
  ASSERT_EQ(left.size(), versions.size());
  for (const auto& [key, version] : versions) EXPECT_TRUE(left.contains(key)) << key;
}

TEST_F(FullEventTest, AWriteThatFindsNoMemoryTellsNothing) {
  int stored = 0;
  for (int i = 0; i < 5000; ++i) stored += Set("k" + std::to_string(i), std::string(900, 'v'));
  EXPECT_LT(stored, 5000);
  EXPECT_EQ(Events().size(), static_cast<size_t>(stored));
}

// Keeps the events of each key apart, without a lock of its own: the store calls with the entry
// locked, so those of one key come one after the other. The thread sanitizer checks it.
class PerKeyListener final : public EventListener {
 public:
  explicit PerKeyListener(size_t keys) : events_(keys) {}
  static std::string Key(size_t i) { return "k" + std::to_string(i); }
  void OnEvent(const StoreEvent& event) override {
    const size_t key = std::stoul(std::string(event.key.substr(1)));
    events_[key].push_back(
        {event.kind, std::string(event.key), event.version, std::string(event.value)});
  }
  const std::vector<std::vector<KeptEvent>>& events() const { return events_; }

 private:
  std::vector<std::vector<KeptEvent>> events_;
};

// How often each kind of event must have come, by what the callers were told.
struct EventCounts {
  std::atomic<uint64_t> sets = 0;
  std::atomic<uint64_t> incrs = 0;
  std::atomic<uint64_t> deletes = 0;
};

TEST(EventStressTest, ReplayingTheEventsGivesTheStore) {
  constexpr size_t kKeys = 3000;
  constexpr int kThreads = 8;
  constexpr int kOperations = 10'000;
  FakeClock clock;
  PerKeyListener listener(kKeys);
  Store store({.shards = 2, .max_memory_bytes = 1 << 20, .clock = &clock});
  store.Listen(&listener);
  EventCounts told;
  std::atomic<bool> stop = false;
  std::thread keeper([&] {
    while (!stop) {
      clock.Advance(1);
      store.Sweep();
    }
  });
  std::vector<std::thread> threads;
  for (uint32_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      for (int i = 0; i < kOperations; ++i) {
        const std::string key = PerKeyListener::Key(random() % (random() % 2 == 0 ? 5 : kKeys));
        SetOptions options;
        if (random() % 3 == 0) options.expiry = Expiry::After(1 + random() % 50);
        if (random() % 4 == 0) options.presence = Presence::kAbsent;
        switch (random() % 5) {
          case 0:
            told.deletes += store.Delete(key).deleted;
            break;
          case 1:
            told.incrs += store.Incr(key, {.expiry = options.expiry}).outcome == IncrOutcome::kDone;
            break;
          default:
            const std::string value(random() % 4 == 0 ? random() % 3000 : random() % 200, 'v');
            told.sets += store.Set(key, value, options).outcome == SetOutcome::kStored;
        }
        if (random() % 20'000 == 0) told.deletes += store.Flush();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  stop = true;
  keeper.join();
  for (int i = 0; i < 2; ++i) {
    while (!store.Sweep()) {
    }
  }

  std::map<EventKind, uint64_t> counts;
  for (size_t i = 0; i < kKeys; ++i) {
    const KeptEvent* present = nullptr;
    uint64_t last_version = 0;
    for (const KeptEvent& event : listener.events()[i]) {
      ++counts[event.kind];
      if (event.kind == EventKind::kSet || event.kind == EventKind::kIncr) {
        ASSERT_GT(event.version, last_version) << testing::PrintToString(event);
        last_version = event.version;
        present = &event;
      } else {
        ASSERT_NE(present, nullptr) << testing::PrintToString(event);
        ASSERT_EQ(event.version, present->version) << testing::PrintToString(event);
        present = nullptr;
      }
    }
    ReadResult result;
    store.Get(PerKeyListener::Key(i), {}, &result);
    ASSERT_EQ(result.found, present != nullptr) << i;
    if (present == nullptr) continue;
    ASSERT_EQ(result.version, present->version);
    ASSERT_EQ(result.value.view(), present->value);
  }
  const StoreStats stats = store.Stats();
  EXPECT_EQ(counts[EventKind::kSet], told.sets);
  EXPECT_EQ(counts[EventKind::kIncr], told.incrs);
  EXPECT_EQ(counts[EventKind::kDelete], told.deletes);
  EXPECT_EQ(counts[EventKind::kExpire], stats.expired_on_access + stats.expired_by_sweep);
  EXPECT_EQ(counts[EventKind::kEvict], stats.evictions);
  EXPECT_GT(stats.evictions, 0u);
  EXPECT_GT(counts[EventKind::kExpire], 0u);
}

}  // namespace
}  // namespace ferrite
