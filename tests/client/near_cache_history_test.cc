// A near cache with constant writers and a connection that keeps breaking: no read returns a value
// that was overwritten, deleted or expired more than max_staleness ago.

#include <array>
#include <atomic>
#include <charconv>
#include <deque>
#include <functional>
#include <random>
#include <thread>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "client/near_cache.h"
#include "tests/client/client_fixture.h"
#include "tests/client/cutting_proxy.h"
#include "tests/client/key_history.h"
#include "tests/client/server_process.h"

namespace ferrite {
namespace {

constexpr int kWriters = 64;
constexpr int kKeysPerWriter = 64;
constexpr int kWritesInARow = 8;
constexpr int kKeys = kWriters * kKeysPerWriter;
constexpr int kReaders = 8;
constexpr absl::Duration kMaxStaleness = absl::Milliseconds(100);
constexpr int64_t kMaxStalenessNs = 100'000'000;

std::string KeyOf(int key) { return absl::StrCat("key:", key); }

// A counter that threads can wait for. Thread-safe.
class Progress {
 public:
  void Step() {
    steps_.fetch_add(1);
    steps_.notify_all();
  }
  void Await(int steps) const {
    for (int now = steps_; now < steps; now = steps_) steps_.wait(now);
  }
  int steps() const { return steps_; }

 private:
  std::atomic<int> steps_{0};
};

// Writes its own keys, one call after the other, until it is told to stop: one key several times in
// a row, and then not for a long time, so that the next write does not hide an error.
class Writer {
 public:
  Writer(Client* client, std::deque<KeyHistory>* histories, int first_key, Progress* progress)
      : client_(client),
        histories_(histories),
        first_key_(first_key),
        random_(first_key),
        progress_(progress) {}

  void Start() { Next(); }
  // A key that was written recently: now or up to that many keys ago.
  int KeyFrom(int keys_ago) const {
    return first_key_ + (newest_ + kKeysPerWriter - keys_ago) % kKeysPerWriter;
  }
  void Stop() {
    stopping_ = true;
    ended_.wait(false);
  }

 private:
  enum Kind { kSet, kExpiringSet, kIncr, kDelete };

  void Next() {
    if (stopping_) {
      ended_ = true;
      ended_.notify_all();
      return;
    }
    const int own = written_++ / kWritesInARow % kKeysPerWriter;
    newest_ = own;
    constexpr Kind kKinds[] = {kSet, kSet, kSet, kSet, kIncr, kIncr, kDelete, kExpiringSet};
    Kind kind = kKinds[random_() % std::size(kKinds)];
    // An Incr keeps the time to live of the entry, and it is not known how much is left.
    if (kind == kIncr && last_[own] == kExpiringSet) kind = kSet;
    last_[own] = kind;
    Write(first_key_ + own, kind);
  }

  void Write(int key, Kind kind) {
    KeyHistory& history = (*histories_)[key];
    const uint64_t number = history.Begin(kind == kDelete || kind == kExpiringSet);
    if (kind == kDelete) {
      v1::DeleteRequest request;
      request.set_key(KeyOf(key));
      client_->DeleteAsync(request, {}, [=, this](const auto& reply) { End(key, reply, 0); });
    } else if (kind == kIncr) {
      v1::IncrRequest request;
      request.set_key(KeyOf(key));
      request.set_initial(static_cast<int64_t>(number) - 1);
      client_->IncrAsync(request, {}, [=, this](const auto& reply) {
        EXPECT_EQ(reply.ok() ? reply->value() : 0, static_cast<int64_t>(number));
        End(key, reply, KeyHistory::kNever);
      });
    } else {
      v1::SetRequest request;
      request.set_key(KeyOf(key));
      request.set_value(absl::StrCat(number));
      const int64_t ttl_ms = 10 + static_cast<int64_t>(random_() % 200);
      if (kind == kExpiringSet) request.set_ttl_ms(ttl_ms);
      client_->SetAsync(request, {}, [=, this](const auto& reply) {
        End(key, reply, kind == kSet ? KeyHistory::kNever : ttl_ms * 1'000'000);
      });
    }
  }

  // `lasts_ns`: how long the entry exists if nobody touches it.
  template <class Response>
  void End(int key, const absl::StatusOr<Response>& reply, int64_t lasts_ns) {
    EXPECT_TRUE(reply.ok()) << reply.status();
    const int64_t now = SteadyNs();
    (*histories_)[key].Acknowledge(
        now, lasts_ns == KeyHistory::kNever ? KeyHistory::kNever : now + lasts_ns);
    progress_->Step();
    Next();
  }

  Client* const client_;
  std::deque<KeyHistory>* const histories_;
  const int first_key_;
  std::mt19937 random_;
  Progress* const progress_;
  std::array<Kind, kKeysPerWriter> last_ = {};
  int written_ = 0;
  std::atomic<int> newest_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> ended_{false};
};

std::optional<uint64_t> NumberIn(const NearEntry& entry) {
  if (!entry.found()) return std::nullopt;
  uint64_t number = 0;
  std::from_chars(entry.value().data(), entry.value().data() + entry.value().size(), number);
  return number;
}

class NearCacheHistoryTest : public testing::Test {
 protected:
  // Reads and checks until `stop`.
  void Read(NearCache* near, const std::deque<Writer>& writers, int seed,
            const std::atomic<bool>& stop) {
    std::mt19937 random(seed);
    std::vector<uint64_t> versions(kKeys);
    while (!stop) {
      // Half of the reads go to keys that are being written, so that events meet fills; the others
      // go to keys that have been left alone since, and show whether that went well.
      const int keys_ago = random() % 2 == 0 ? 0 : static_cast<int>(random() % 16);
      const int key = writers[random() % kWriters].KeyFrom(keys_ago);
      // Several times, so that there are hits between the writes.
      for (int i = 0; i < 8 && !stop; ++i) ReadOnce(near, key, &versions[key]);
    }
  }

  // `version`: the newest one that the caller has seen.
  void ReadOnce(NearCache* near, int key, uint64_t* version) {
    const int64_t start = SteadyNs();
    const KeyHistory::Bounds bounds = histories_[key].BoundsOf(start - kMaxStalenessNs);
    const absl::StatusOr<NearEntry> entry = near->Get(KeyOf(key));
    if (!entry.ok()) {
      EXPECT_TRUE(absl::IsUnavailable(entry.status()) || absl::IsDeadlineExceeded(entry.status()))
          << entry.status();
      return;
    }
    const std::optional<uint64_t> answer = NumberIn(*entry);
    if (!histories_[key].Allows(bounds, answer)) {
      ADD_FAILURE() << KeyOf(key) << " answered " << (answer ? absl::StrCat(*answer) : "a miss")
                    << " and not " << bounds.least << " or later, after "
                    << absl::Nanoseconds(SteadyNs() - start);
    }
    if (!entry->found()) return;
    EXPECT_GE(entry->version(), *version) << "reads of " << KeyOf(key) << " went back";
    *version = entry->version();
  }

  // Runs 64 writers and some readers while it calls `disturb` repeatedly, until there were that
  // many writes and hits.
  void Run(Client* client, int writes, uint64_t hits, const std::function<void()>& disturb) {
    auto near = *NearCache::Create(client, {.key_prefixes = {"key:"},
                                            .max_bytes = 40'000,  // evicts a little
                                            .max_staleness = kMaxStaleness});
    // Without frames, as there would hardly be time for a hit between two writes of a key.
    const std::unique_ptr<Client> writing =
        ClientOf(server_.address(), {.batching = {.enabled = false}});
    std::deque<Writer> writers;
    for (int i = 0; i < kWriters; ++i) {
      writers.emplace_back(writing.get(), &histories_, i * kKeysPerWriter, &writes_);
    }
    for (Writer& writer : writers) writer.Start();
    std::atomic<bool> stop{false};
    std::vector<std::thread> readers;
    for (int i = 0; i < kReaders; ++i) {
      readers.emplace_back([&, i] { Read(near.get(), writers, i, stop); });
    }
    while (writes_.steps() < writes || near->stats().hits < hits) disturb();
    stop = true;
    for (std::thread& reader : readers) reader.join();
    for (Writer& writer : writers) writer.Stop();
    const NearCacheStats stats = near->stats();
    std::cout << writes_.steps() << " writes, " << stats.hits << " hits, " << stats.misses
              << " misses, " << stats.joined << " joined, " << stats.stale << " stale, "
              << stats.invalidations << " invalidations, " << stats.refusals << " refusals, "
              << stats.evictions << " evictions, " << stats.flushes << " flushes\n";
  }

  // A history so short that some streams can be resumed and others have a gap.
  ServerProcess server_{"127.0.0.1:0", {"--history-events=2000"}};
  std::deque<KeyHistory> histories_{kKeys};
  Progress writes_;
};

TEST_F(NearCacheHistoryTest, NoReadIsOlderThanAllowed) {
  const std::unique_ptr<Client> client =
      ClientOf(server_.address(), {.channels_per_node = 2, .completion_threads = 2});
  Run(client.get(), 30'000, 8'000, [&] { writes_.Await(writes_.steps() + 100); });
}

// Several connections, one of which also carries the events, are cut and stalled one by one, so
// that events fall behind answers, and answers behind events. Reads on a stalled connection fail
// soon, so that others continue.
TEST_F(NearCacheHistoryTest, NoReadIsOlderThanAllowedOverABadConnection) {
  CuttingProxy proxy(server_.address());
  const std::unique_ptr<Client> client = ClientOf(
      proxy.address(),
      {.default_timeout = absl::Milliseconds(20), .channels_per_node = 4, .completion_threads = 2});
  std::mt19937 random(1);
  Run(client.get(), 100'000, 12'000, [&] {
    const auto pause = [&](int most) {
      writes_.Await(writes_.steps() + static_cast<int>(random() % most));
    };
    // Often for less than the timeout of a read, so that answers come late; sometimes for longer
    // than max_staleness and than the server's history.
    pause(100);
    proxy.Hold(random());
    pause(random() % 3 != 0 ? 200 : 10'000);
    if (random() % 32 == 0) proxy.Cut(random());
    if (random() % 64 == 0) proxy.CutAll();
    proxy.Release();
  });
}

}  // namespace
}  // namespace ferrite
