// A near cache on a cluster whose nodes are killed and replaced while others write: no read returns
// a value that was overwritten more than max_staleness ago, and reads do not go back.

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <deque>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "client/near_cache.h"
#include "tests/client/client_fixture.h"
#include "tests/client/etcd_process.h"
#include "tests/client/key_history.h"
#include "tests/client/server_process.h"

namespace ferrite {
namespace {

constexpr int kNodes = 3;
constexpr int kWriters = 4;
constexpr int kKeysPerWriter = 32;
constexpr int kReaders = 4;
constexpr absl::Duration kMaxStaleness = absl::Milliseconds(200);
constexpr int64_t kMaxStalenessNs = 200'000'000;

constexpr int kIdleKeys = 64;
constexpr int64_t kHangNs = 30'000'000'000;

std::string IdleKeyOf(int key) { return absl::StrCat("key:idle:", key); }
std::string KeyOf(size_t key) { return absl::StrCat("key:", key); }

class NearClusterTest : public testing::Test {
 protected:
  NearClusterTest() {
    for (int node = 0; node < kNodes; ++node) Start(node);
    client_ = ClientOfAll();
    writing_ = ClientOfAll();
    near_ = *NearCache::Create(client_.get(),
                               {.key_prefixes = {"key:"}, .max_staleness = kMaxStaleness});
  }

  void Start(int node) {
    nodes_[node] = std::make_unique<ServerProcess>(
        "127.0.0.1:0", std::vector<std::string>{"--cluster-name=near",
                                                absl::StrCat("--etcd-endpoints=", etcd_.address()),
                                                absl::StrCat("--node-id=n", node), "--lease-ttl=2s",
                                                "--max-memory=64MiB"});
  }

  std::unique_ptr<Client> ClientOfAll() {
    ClientOptions options;
    for (const auto& node : nodes_) options.seeds.push_back(node->address());
    options.default_timeout = absl::Seconds(60);
    return *Client::Create(options);
  }

  // Writes its own keys in turn until it is told to stop.
  void Write(int writer) {
    for (size_t i = 0; !stop_; ++i) {
      const size_t key = writer * kKeysPerWriter + i / 4 % kKeysPerWriter;
      const uint64_t number = histories_[key].Begin(/*gone=*/false);
      const auto reply = writing_->Set(KeyOf(key), absl::StrCat(number));
      ASSERT_TRUE(reply.ok()) << reply.status();
      histories_[key].Acknowledge(SteadyNs(), KeyHistory::kNever);
      writes_.fetch_add(1);
      writes_.notify_all();
    }
  }

  void Read(int seed) {
    std::mt19937 random(seed);
    std::vector<uint64_t> versions(histories_.size());
    while (!stop_) {
      const size_t key = random() % histories_.size();
      for (int i = 0; i < 4 && !stop_; ++i) {
        const auto bounds = histories_[key].BoundsOf(SteadyNs() - kMaxStalenessNs);
        const auto entry = near_->Get(KeyOf(key));
        ASSERT_TRUE(entry.ok()) << entry.status();
        if (!entry->found()) continue;  // slots that change owners arrive empty
        const uint64_t number = std::stoull(std::string(entry->value()));
        EXPECT_GE(number, bounds.least) << KeyOf(key);
        EXPECT_GE(entry->version(), versions[key]) << KeyOf(key);
        versions[key] = entry->version();
      }
    }
  }

  // Writes keys that nobody else writes, and has the near cache keep them.
  void FillIdleKeys() {
    for (int key = 0; key < kIdleKeys; ++key) {
      ASSERT_TRUE(writing_->Set(IdleKeyOf(key), "idle").ok());
      ASSERT_TRUE(near_->Get(IdleKeyOf(key)).ok());
    }
  }

  // What a node held is gone with it, and from the near cache as well, though nobody writes it
  // anew. Returns how many keys that is true of.
  int GoneIdleKeys() {
    int gone = 0;
    for (int key = 0; key < kIdleKeys; ++key) {
      const auto held = client_->Get(IdleKeyOf(key));  // waits until somebody serves the slot
      EXPECT_TRUE(held.ok()) << held.status();
      if (held->found()) continue;
      ++gone;
      const int64_t end = SteadyNs() + kHangNs;
      while (near_->Get(IdleKeyOf(key))->found()) {
        if (SteadyNs() > end) {
          ADD_FAILURE() << "the near cache keeps what is gone";
          return gone;
        }
      }
    }
    return gone;
  }

  // Until there have been more writes and hits.
  void AwaitMore() {
    const int writes = writes_ + 500;
    const uint64_t hits = near_->stats().hits + 500;
    while (writes_ < writes || near_->stats().hits < hits) writes_.wait(writes_);
  }

  EtcdProcess etcd_;
  std::array<std::unique_ptr<ServerProcess>, kNodes> nodes_;
  std::unique_ptr<Client> client_;
  std::unique_ptr<Client> writing_;
  std::unique_ptr<NearCache> near_;
  std::deque<KeyHistory> histories_{kWriters * kKeysPerWriter};
  std::atomic<int> writes_{0};
  std::atomic<bool> stop_{false};
};

TEST_F(NearClusterTest, NoReadIsOlderThanAllowedWhateverBecomesOfNodes) {
  std::vector<std::thread> threads;
  for (int i = 0; i < kWriters; ++i) threads.emplace_back([this, i] { Write(i); });
  for (int i = 0; i < kReaders; ++i) threads.emplace_back([this, i] { Read(i); });
  AwaitMore();
  for (int node = 0; node < kNodes; ++node) {
    FillIdleKeys();
    node == 0 ? nodes_[node]->Stop() : nodes_[node]->Kill();
    EXPECT_GT(GoneIdleKeys(), 0);
    AwaitMore();
    Start(node);
    AwaitMore();
  }
  stop_ = true;
  for (std::thread& thread : threads) thread.join();
  const NearCacheStats stats = near_->stats();
  EXPECT_GT(stats.flushes, 1u);
  std::cout << writes_ << " writes, " << stats.hits << " hits, " << stats.misses << " misses, "
            << stats.stale << " stale, " << stats.invalidations << " invalidations, "
            << stats.refusals << " refusals, " << stats.flushes << " flushes\n";
}

}  // namespace
}  // namespace ferrite
