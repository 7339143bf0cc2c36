// A near cache with the real server.

#include "client/near_cache.h"

#include <atomic>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/client/client_fixture.h"
#include "tests/client/server_process.h"
#include "tests/client/silent_port.h"

namespace ferrite {
namespace {

v1::SetRequest SetOf(const std::string& key, const std::string& value) {
  v1::SetRequest request;
  request.set_key(key);
  request.set_value(value);
  return request;
}
v1::DeleteRequest DeleteOf(const std::string& key) {
  v1::DeleteRequest request;
  request.set_key(key);
  return request;
}

class NearCacheServerTest : public testing::Test {
 protected:
  std::string Read(const std::string& key) {
    const absl::StatusOr<NearEntry> entry = near_->Get(key);
    EXPECT_TRUE(entry.ok()) << entry.status();
    if (!entry.ok()) return "failed";
    return entry->found() ? std::string(entry->value()) : "a miss";
  }
  // Reads the key until it is a hit.
  void ReadUntilHit(const std::string& key) {
    const uint64_t hits = near_->stats().hits;
    while (near_->stats().hits == hits) Read(key);
  }
  // Reads the key until it has that value.
  void Await(const std::string& key, const std::string& value) {
    while (Read(key) != value) {
    }
  }
  std::unique_ptr<NearCache> NearCacheOf(Client* client, const NearCacheOptions& options = {}) {
    return *NearCache::Create(client, options);
  }

  ServerProcess server_;
  const std::unique_ptr<Client> client_ = ClientOf(server_.address());
  const std::unique_ptr<Client> another_ = ClientOf(server_.address());
  std::unique_ptr<NearCache> near_ = NearCacheOf(client_.get());
};

TEST_F(NearCacheServerTest, AnswersFromTheProcess) {
  const uint64_t version = another_->Set("k", "v")->version();
  ReadUntilHit("k");
  const absl::StatusOr<NearEntry> entry = near_->Get("k");
  EXPECT_EQ(entry->value(), "v");
  EXPECT_EQ(entry->version(), version);
  std::atomic<bool> answered{false};
  near_->GetAsync("k", [&](const auto& outcome) { answered = outcome->value() == "v"; });
  EXPECT_TRUE(answered) << "a hit is answered at once";
}

TEST_F(NearCacheServerTest, SeesWhatOthersDo) {
  another_->Set("k", "1").IgnoreError();
  ReadUntilHit("k");
  another_->Set("k", "2").IgnoreError();
  Await("k", "2");
  ReadUntilHit("k");
  another_->Incr("k").IgnoreError();
  Await("k", "3");
  ReadUntilHit("k");
  another_->Delete("k").IgnoreError();
  Await("k", "a miss");
  EXPECT_EQ(Read("k"), "a miss");
  another_->Set("k", "4", absl::Milliseconds(20)).IgnoreError();
  Await("k", "4");
  Await("k", "a miss");
  another_->Set("k", "5").IgnoreError();
  ReadUntilHit("k");
  another_->Flush().IgnoreError();
  Await("k", "a miss");
}

TEST_F(NearCacheServerTest, SeesItsOwnWritesAtOnce) {
  near_->Set(SetOf("k", "start")).IgnoreError();
  ReadUntilHit("k");
  for (int i = 0; i < 500; ++i) {
    const std::string value = absl::StrCat(i);
    ASSERT_TRUE(near_->Set(SetOf("k", value)).ok());
    ASSERT_EQ(Read("k"), value);
    ASSERT_EQ(Read("k"), value);
    if (i % 10 != 0) continue;
    ASSERT_TRUE(near_->Delete(DeleteOf("k")).ok());
    ASSERT_EQ(Read("k"), "a miss");
    ASSERT_TRUE(client_->Set("k", "around it").ok());
    near_->Invalidate("k");
    ASSERT_EQ(Read("k"), "around it");
  }
}

TEST_F(NearCacheServerTest, KeysOutsideThePrefixesPassThrough) {
  near_ = NearCacheOf(client_.get(), {.key_prefixes = {"in:", "also:"}});
  another_->Set("in:k", "v").IgnoreError();
  another_->Set("also:k", "v").IgnoreError();
  another_->Set("out:k", "v").IgnoreError();
  ReadUntilHit("in:k");
  ReadUntilHit("also:k");
  const NearCacheStats before = near_->stats();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Read("out:k"), "v");
  EXPECT_EQ(Read("out:none"), "a miss");
  EXPECT_EQ(near_->stats().hits, before.hits);
  EXPECT_EQ(near_->stats().misses, before.misses);
}

TEST_F(NearCacheServerTest, AServerThatStartsAnewHasNothing) {
  another_->Set("k", "before").IgnoreError();
  ReadUntilHit("k");
  const std::string address = server_.address();
  server_.Kill();
  server_ = ServerProcess(address);
  ASSERT_TRUE(another_->Set("other", "v").ok());
  while (
      true) {  // within max_staleness reads may still be hits, and fail until there is a connection
    const absl::StatusOr<NearEntry> entry = near_->Get("k");
    if (entry.ok() && !entry->found()) break;
  }
  another_->Set("k", "after").IgnoreError();
  ReadUntilHit("k");
  EXPECT_EQ(Read("k"), "after");
}

TEST_F(NearCacheServerTest, WithoutConnectionItAnswersForMaxStalenessOnly) {
  another_->Set("k", "v").IgnoreError();
  ReadUntilHit("k");
  server_.Freeze();
  // Hits are answered at once; the first call to the server is not.
  std::shared_ptr<std::atomic<bool>> answered;
  do {
    answered = std::make_shared<std::atomic<bool>>(false);
    near_->GetAsync("k", [answered](const auto&) { *answered = true; });
  } while (*answered);
  server_.Thaw();
  ReadUntilHit("k");
}

TEST_F(NearCacheServerTest, ManyThreadsMayReadAndWriteThroughIt) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i) {
        const std::string own = absl::StrCat("own:", t);
        near_->Set(SetOf(own, absl::StrCat(i))).IgnoreError();
        EXPECT_EQ(Read(own), absl::StrCat(i));
        Read(absl::StrCat("own:", (t + 1) % 4));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(NearCacheTest, SenselessOptionsAreRefused) {
  const std::unique_ptr<Client> client = ClientOf("127.0.0.1:1");
  const auto refuses = [&](const NearCacheOptions& options) {
    return absl::IsInvalidArgument(NearCache::Create(client.get(), options).status());
  };
  EXPECT_TRUE(refuses({.key_prefixes = {}}));
  EXPECT_TRUE(refuses({.key_prefixes = std::vector<std::string>(1024, "p")}));
  EXPECT_TRUE(refuses({.key_prefixes = {std::string(4097, 'p')}}));
  EXPECT_TRUE(refuses({.max_bytes = 0}));
  EXPECT_TRUE(refuses({.max_staleness = absl::Milliseconds(9)}));
  EXPECT_TRUE(refuses({.max_staleness = absl::InfiniteDuration()}));
  EXPECT_FALSE(refuses({}));
}

TEST(NearCacheTest, CancelsReadsWhenItGoes) {
  const SilentPort port;
  const std::unique_ptr<Client> client = ClientOf(port.address());
  Outcomes outcomes;
  auto near = *NearCache::Create(client.get());
  NearCache* const same = near.get();
  for (int i = 0; i < 10; ++i) {
    same->GetAsync(absl::StrCat(i / 2), [&outcomes, same](const auto& outcome) {
      outcomes.Add(outcome);
      same->GetAsync("more", [&outcomes](const auto& next) { outcomes.Add(next); });
    });
  }
  near.reset();
  EXPECT_EQ(outcomes.all(), 20);
  EXPECT_EQ(outcomes.cancelled(), 20);
}

}  // namespace
}  // namespace ferrite
