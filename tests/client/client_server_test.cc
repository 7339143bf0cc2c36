// The Client against the real server: every call, errors, deadlines, a server that restarts.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>
#include <vector>

#include "client/retry.h"
#include "tests/client/client_fixture.h"
#include "tests/client/server_process.h"

namespace ferrite {
namespace {

using namespace std::string_literals;

class ClientServerTest : public testing::Test {
 protected:
  ServerProcess server_;
  std::unique_ptr<Client> client_ = ClientOf(server_.address());
};

TEST_F(ClientServerTest, SetsAndGets) {
  const auto set = client_->Set("k", "v");
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_TRUE(set->stored());
  const auto get = client_->Get("k");
  ASSERT_TRUE(get.ok()) << get.status();
  EXPECT_TRUE(get->found());
  EXPECT_EQ(get->value(), "v");
  EXPECT_EQ(get->version(), set->version());
  EXPECT_FALSE(get->has_ttl_ms());
}

TEST_F(ClientServerTest, AMissIsAnAnswer) {
  const auto get = client_->Get("nowhere");
  ASSERT_TRUE(get.ok()) << get.status();
  EXPECT_FALSE(get->found());
}

TEST_F(ClientServerTest, BytesPassUnchanged) {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  ASSERT_TRUE(client_->Set(all, all + all).ok());
  EXPECT_EQ(client_->Get(all)->value(), all + all);
  EXPECT_FALSE(client_->Get(std::string_view(all).substr(0, 255))->found());
}

TEST_F(ClientServerTest, LargeValuesAndLargeRepliesPass) {
  const std::string large(1 << 20, 'x');
  ASSERT_TRUE(client_->Set("a", large).ok());
  ASSERT_TRUE(client_->Set("b", large).ok());
  ASSERT_TRUE(client_->Set("c", large).ok());
  EXPECT_EQ(client_->Get("a")->value(), large);
  const auto all = client_->MGet({"a", "b", "c"});
  ASSERT_TRUE(all.ok()) << all.status();
  for (const v1::GetResponse& result : all->results()) EXPECT_EQ(result.value(), large);
}

TEST_F(ClientServerTest, ConditionsHold) {
  v1::SetRequest request;
  request.set_key("k");
  request.set_value("1");
  request.set_condition(v1::SET_CONDITION_ABSENT);
  EXPECT_TRUE(client_->Set(request)->stored());
  EXPECT_FALSE(client_->Set(request)->stored());
  request.set_condition(v1::SET_CONDITION_PRESENT);
  request.set_value("2");
  request.set_return_previous(true);
  const auto set = client_->Set(request);
  EXPECT_TRUE(set->stored());
  EXPECT_EQ(set->previous().value(), "1");
}

TEST_F(ClientServerTest, ARepeatedRequestIdDoesNothing) {
  v1::IncrRequest request;
  request.set_key("n");
  request.set_request_id(NewRequestId());
  EXPECT_EQ(client_->Incr(request)->value(), 1);
  EXPECT_EQ(client_->Incr(request)->value(), 1);
  EXPECT_EQ(client_->Incr("n")->value(), 2);
}

TEST_F(ClientServerTest, IncrementsFromManyThreadsAllCount) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 250; ++i) EXPECT_TRUE(client_->Incr("n", 2).ok());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(client_->Get("n")->value(), "2000");
}

TEST_F(ClientServerTest, DeletesTouchesAndTells) {
  ASSERT_TRUE(client_->Set("k", "v", absl::Hours(1)).ok());
  v1::TouchRequest touch;
  touch.set_key("k");
  const auto told = client_->Touch(touch);
  EXPECT_TRUE(told->found());
  EXPECT_GT(told->ttl_ms(), 3'000'000);
  touch.set_persist(true);
  EXPECT_FALSE(client_->Touch(touch)->has_ttl_ms());
  EXPECT_TRUE(client_->Delete("k")->deleted());
  EXPECT_FALSE(client_->Delete("k")->deleted());
  EXPECT_FALSE(client_->Touch(touch)->found());
}

TEST_F(ClientServerTest, BatchesAnswerInTheOrderOfTheRequest) {
  v1::MSetRequest mset;
  for (int i = 0; i < 100; ++i) {
    v1::SetRequest* entry = mset.add_entries();
    entry->set_key(std::to_string(i));
    entry->set_value("value " + std::to_string(i));
  }
  const auto set = client_->MSet(mset);
  ASSERT_TRUE(set.ok()) << set.status();
  for (const v1::MSetResult& result : set->results()) EXPECT_TRUE(result.response().stored());

  const auto get = client_->MGet({"7", "missing", "99", "7"});
  ASSERT_EQ(get->results_size(), 4);
  EXPECT_EQ(get->results(0).value(), "value 7");
  EXPECT_FALSE(get->results(1).found());
  EXPECT_EQ(get->results(2).value(), "value 99");
  EXPECT_EQ(get->results(3).value(), "value 7");

  v1::ExistsRequest exists;
  v1::MDeleteRequest mdelete;
  for (const char* key : {"1", "missing", "2"}) {
    exists.add_keys(key);
    mdelete.add_keys(key);
  }
  const auto there = client_->Exists(exists);
  EXPECT_THAT(there->exists(), testing::ElementsAre(true, false, true));
  const auto deleted = client_->MDelete(mdelete);
  EXPECT_THAT(deleted->deleted(), testing::ElementsAre(true, false, true));
  const auto gone = client_->Exists(exists);
  EXPECT_THAT(gone->exists(), testing::ElementsAre(false, false, false));
}

TEST_F(ClientServerTest, ScansEverythingOnceInPages) {
  std::set<std::string> written;
  for (int batch = 0; batch < 10; ++batch) {
    v1::MSetRequest mset;
    for (int i = 0; i < 1000; ++i) {
      v1::SetRequest* entry = mset.add_entries();
      entry->set_key("scan:" + std::to_string(batch * 1000 + i));
      entry->set_value(entry->key());
      written.insert(entry->key());
    }
    ASSERT_TRUE(client_->MSet(mset).ok());
  }
  ASSERT_TRUE(client_->Set("other", "x").ok());

  v1::ScanRequest request;
  request.set_prefix("scan:");
  request.set_with_values(true);
  std::set<std::string> seen;
  const absl::Status status = client_->Scan(request, [&](const v1::ScanEntry& entry) {
    EXPECT_EQ(entry.value(), entry.key());
    EXPECT_TRUE(seen.insert(entry.key()).second) << entry.key();
    return true;
  });
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(seen, written);

  // Page by page, 777 entries each.
  seen.clear();
  request.set_limit(777);
  do {
    const auto page = client_->ScanPage(request);
    ASSERT_TRUE(page.ok()) << page.status();
    EXPECT_LE(page->entries_size(), 777);
    for (const v1::ScanEntry& entry : page->entries()) EXPECT_TRUE(seen.insert(entry.key()).second);
    request.set_cursor(page->cursor());
  } while (!request.cursor().empty());
  EXPECT_EQ(seen, written);
}

TEST_F(ClientServerTest, AScanStopsAtItsLimitOrWhenItIsTold) {
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(client_->Set(std::to_string(i), "v").ok());
  int visited = 0;
  v1::ScanRequest request;
  request.set_limit(4);
  const auto visit = [&](const v1::ScanEntry&) { return ++visited != 6; };
  EXPECT_TRUE(client_->Scan(request, visit).ok());
  EXPECT_EQ(visited, 4);
  visited = 0;
  request.set_limit(0);
  EXPECT_TRUE(client_->Scan(request, visit).ok());
  EXPECT_EQ(visited, 6);
}

TEST_F(ClientServerTest, APageOfLargeValuesEndsEarly) {
  const std::string large(1 << 20, 'x');
  for (int i = 0; i < 12; ++i) ASSERT_TRUE(client_->Set(std::to_string(i), large).ok());
  v1::ScanRequest request;
  request.set_with_values(true);
  const auto page = client_->ScanPage(request);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_GE(page->entries_size(), 4);
  EXPECT_LT(page->entries_size(), 12);
  EXPECT_FALSE(page->cursor().empty());
  int visited = 0;
  const auto count = [&](const v1::ScanEntry& entry) {
    EXPECT_EQ(entry.value(), large);
    return ++visited > 0;
  };
  EXPECT_TRUE(client_->Scan(request, count).ok());
  EXPECT_EQ(visited, 12);
}

TEST_F(ClientServerTest, TellsAboutTheNode) {
  EXPECT_TRUE(*client_->IsServing());
  EXPECT_TRUE(*client_->IsServing("ferrite.v1.CacheService"));
  EXPECT_EQ(client_->IsServing("no.such.Service").status().code(), absl::StatusCode::kNotFound);
  const auto info = client_->Info();
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_GT(info->pid(), 0);
  EXPECT_FALSE(info->version().empty());
  ASSERT_TRUE(client_->Set("k", "v").ok());
  EXPECT_EQ(client_->Stats()->entries(), 1u);
  EXPECT_EQ(client_->Flush()->deleted(), 1u);
  EXPECT_EQ(client_->Stats()->entries(), 0u);
}

TEST_F(ClientServerTest, ErrorsSayWhy) {
  const auto reason = [](const auto& outcome) {
    EXPECT_FALSE(outcome.status().message().empty());
    return ReasonOf(outcome.status());
  };
  EXPECT_EQ(reason(client_->Get("")), "KEY_EMPTY");
  EXPECT_EQ(reason(client_->Get(std::string(4097, 'k'))), "KEY_TOO_LARGE");
  EXPECT_EQ(reason(client_->Set("k", std::string((1 << 20) + 1, 'v'))), "VALUE_TOO_LARGE");
  for (const absl::Duration ttl : {absl::ZeroDuration(), absl::Milliseconds(-1),
                                   absl::Hours(24 * 365 * 100) + absl::Milliseconds(1),
                                   absl::Milliseconds(INT64_MAX), absl::Milliseconds(INT64_MIN)}) {
    EXPECT_EQ(reason(client_->Set("k", "v", ttl)), "TTL_OUT_OF_RANGE") << ttl;
  }
  EXPECT_EQ(reason(client_->MGet(std::vector<std::string>())), "BATCH_EMPTY");
  EXPECT_EQ(reason(client_->MGet(std::vector<std::string>(1025, "k"))), "BATCH_TOO_LARGE");
  EXPECT_EQ(reason(client_->MGet(std::vector<std::string>(100'000, "k"))), "BATCH_TOO_LARGE");
  ASSERT_TRUE(client_->Set("text", "ten").ok());
  const auto not_a_counter = client_->Incr("text");
  EXPECT_EQ(reason(not_a_counter), "NOT_A_COUNTER");
  EXPECT_EQ(not_a_counter.status().code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(client_->Incr("n", INT64_MAX).ok());
  const auto beyond = client_->Incr("n");
  EXPECT_EQ(reason(beyond), "COUNTER_OUT_OF_RANGE");
  EXPECT_EQ(beyond.status().code(), absl::StatusCode::kOutOfRange);
}

TEST_F(ClientServerTest, WhatIsJustAllowedPasses) {
  const std::string longest_key(4096, 'k');
  ASSERT_TRUE(client_->Set(longest_key, "").ok());
  EXPECT_TRUE(client_->Get(longest_key)->found());
  ASSERT_TRUE(client_->Set("\0"s, "nul").ok());
  EXPECT_EQ(client_->Get("\0"s)->value(), "nul");
  EXPECT_FALSE(client_->Get("\0\0"s)->found());
  EXPECT_TRUE(client_->Set("k", "v", absl::Hours(24 * 365 * 100)).ok());
  EXPECT_TRUE(client_->Set("k", "v", absl::Milliseconds(1)).ok());
  const auto most = client_->MGet(std::vector<std::string>(1024, "\0"s));
  ASSERT_TRUE(most.ok()) << most.status();
  EXPECT_EQ(most->results_size(), 1024);
  EXPECT_EQ(most->results(1023).value(), "nul");
}

TEST_F(ClientServerTest, ADuplicateKeyInABatchIsWrittenTwice) {
  v1::MSetRequest request;
  for (const char* value : {"first", "second"}) {
    v1::SetRequest* entry = request.add_entries();
    entry->set_key("k");
    entry->set_value(value);
  }
  const auto set = client_->MSet(request);
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_LT(set->results(0).response().version(), set->results(1).response().version());
  EXPECT_EQ(client_->Get("k")->value(), "second");
}

TEST_F(ClientServerTest, ContradictionsAreRefusedAndChangeNothing) {
  v1::IncrRequest crossed;
  crossed.set_key("n");
  crossed.set_min(5);
  crossed.set_max(1);
  EXPECT_EQ(ReasonOf(client_->Incr(crossed).status()), "CONTRADICTION");
  v1::SetRequest absent_with_version;
  absent_with_version.set_key("n");
  absent_with_version.set_condition(v1::SET_CONDITION_ABSENT);
  absent_with_version.set_if_version(1);
  EXPECT_EQ(ReasonOf(client_->Set(absent_with_version).status()), "CONTRADICTION");
  EXPECT_FALSE(client_->Get("n")->found());

  v1::IncrRequest request;
  request.set_key("n");
  request.set_request_id("id");
  ASSERT_TRUE(client_->Incr(request).ok());
  request.set_delta(2);
  EXPECT_EQ(ReasonOf(client_->Incr(request).status()), "REQUEST_ID_REUSED");
  request.set_request_id(std::string(65, 'i'));
  EXPECT_EQ(ReasonOf(client_->Incr(request).status()), "REQUEST_ID_TOO_LARGE");
  EXPECT_EQ(client_->Get("n")->value(), "1");
}

TEST_F(ClientServerTest, AFrozenServerMeetsTheDeadline) {
  ASSERT_TRUE(client_->Set("k", "v").ok());
  server_.Freeze();
  const auto reply = client_->Get(GetOf("k"), {.timeout = absl::Milliseconds(100)});
  EXPECT_EQ(reply.status().code(), absl::StatusCode::kDeadlineExceeded) << reply.status();
  server_.Thaw();
  EXPECT_EQ(client_->Get("k")->value(), "v");
}

TEST_F(ClientServerTest, TheEndOfAClientCancelsCallsToAFrozenServer) {
  auto client = ClientOf(server_.address(), {.channels_per_node = 2, .completion_threads = 2});
  ASSERT_TRUE(client->Set("k", "v").ok());
  server_.Freeze();
  Outcomes outcomes;
  for (int i = 0; i < 1000; ++i) {
    client->GetAsync(GetOf("k"), {}, [&](const auto& outcome) { outcomes.Add(outcome); });
  }
  client.reset();
  EXPECT_EQ(outcomes.all(), 1000);
  EXPECT_EQ(outcomes.cancelled(), 1000);
  server_.Thaw();
}

TEST(ServerRestartTest, ReadsOutlastIt) {
  auto server = std::make_unique<ServerProcess>();
  const std::string address = server->address();
  auto client = ClientOf(
      address, {.retry = {.max_attempts = 100'000, .max_backoff = absl::Milliseconds(20)}});
  ASSERT_TRUE(client->Set("k", "v").ok());
  server->Kill();

  // The server is gone: a call that may not be repeated fails, one that may waits for the server's
  // return.
  const auto incr = client->Incr("n");
  EXPECT_EQ(incr.status().code(), absl::StatusCode::kUnavailable) << incr.status();
  Outcomes outcomes;
  bool found = true;
  client->GetAsync(GetOf("k"), {}, [&](const absl::StatusOr<v1::GetResponse>& reply) {
    found = !reply.ok() || reply->found();
    outcomes.Add(reply);
  });
  server = std::make_unique<ServerProcess>(address);
  ASSERT_EQ(server->address(), address);
  outcomes.AwaitOne();
  EXPECT_FALSE(found);  // a new server, empty
  EXPECT_TRUE(client->Set("k", "v").ok());
}

TEST(ServerAbsentTest, TheMessageIsPlain) {
  ServerProcess server;
  auto client = ClientOf(server.address());
  server.Kill();
  const auto reply = client->Get("k");
  EXPECT_EQ(reply.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(reply.status().message(), "cannot reach " + server.address() + ": Connection refused");
}

}  // namespace
}  // namespace ferrite
