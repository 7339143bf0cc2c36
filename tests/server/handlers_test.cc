// The handlers as plain functions: no server, no socket.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "server/call/limits.h"
#include "server/call/status.h"
#include "server/handlers/cache_handlers.h"
#include "server/handlers/operation_error.h"
#include "server/handlers/scan_handler.h"
#include "server/metrics/thread_counters.h"
#include "store/operation.h"
#include "tests/store/fake_clock.h"

namespace ferrite {
namespace {

using testing::HasSubstr;

std::string ReasonIn(const absl::Status& status) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  if (!details.ParseFromString(DetailsOf(status)) || details.details_size() != 1 ||
      !details.details(0).UnpackTo(&info)) {
    return "(no details)";
  }
  EXPECT_EQ(info.domain(), "ferrite");
  EXPECT_EQ(details.code(), static_cast<int>(status.code()));
  EXPECT_EQ(details.message(), status.message());
  return info.reason();
}

class HandlersTest : public testing::Test {
 protected:
  HandlersTest() { counters_.AttachThread(); }

  absl::Status Set(const std::string& key, const std::string& value) {
    v1::SetRequest request;
    request.set_key(key);
    request.set_value(value);
    v1::SetResponse response;
    return handlers_.Set(request, &response);
  }
  v1::GetResponse Get(const std::string& key) {
    v1::GetRequest request;
    request.set_key(key);
    v1::GetResponse response;
    EXPECT_TRUE(handlers_.Get(request, &response).ok());
    return response;
  }
  std::vector<v1::ScanResponse> Scan(const v1::ScanRequest& request) {
    ScanCursor cursor;
    EXPECT_TRUE(ScanBeginning(request, &cursor).ok());
    ScanSource source(&store_, request, cursor);
    std::vector<v1::ScanResponse> responses;
    v1::ScanResponse response;
    while (source.Next(&response)) {
      responses.push_back(response);
      response.Clear();
    }
    return responses;
  }

  FakeClock clock_;
  CounterRegistry counters_;
  Store store_{{.shards = 4, .clock = &clock_}};
  ReplayWindow replays_{1 << 20, &clock_};
  EventHub events_{&store_, {}};
  CacheHandlers handlers_{&store_, &replays_, &events_, &clock_, 1000};
};

TEST_F(HandlersTest, AMissIsAnAnswer) {
  const v1::GetResponse response = Get("absent");
  EXPECT_FALSE(response.found());
  EXPECT_EQ(response.ByteSizeLong(), 0u);
}

TEST_F(HandlersTest, ErrorsNameTheLimitAndCarryAReason) {
  EXPECT_EQ(ReasonIn(Set("", "v")), "KEY_EMPTY");
  EXPECT_EQ(ReasonIn(Set(std::string(4097, 'k'), "v")), "KEY_TOO_LARGE");
  EXPECT_THAT(Set(std::string(4097, 'k'), "v").message(), HasSubstr("4096"));
  EXPECT_TRUE(Set(std::string(4096, 'k'), "v").ok());
  EXPECT_EQ(ReasonIn(Set("k", std::string(1001, 'v'))), "VALUE_TOO_LARGE");
  EXPECT_THAT(Set("k", std::string(1001, 'v')).message(), HasSubstr("the limit is 1000"));
  EXPECT_TRUE(Set("k", std::string(1000, 'v')).ok());
}

TEST_F(HandlersTest, TimesToLiveAreChecked) {
  for (const int64_t bad : {int64_t{0}, int64_t{-1}, std::numeric_limits<int64_t>::min(),
                            kMaxTtlMs + 1, std::numeric_limits<int64_t>::max()}) {
    EXPECT_EQ(ReasonIn(CheckTtl("ttl_ms", bad)), "TTL_OUT_OF_RANGE") << bad;
    EXPECT_THAT(CheckTtl("ttl_ms", bad).message(), HasSubstr(std::to_string(kMaxTtlMs)));
    EXPECT_FALSE(
        CheckExpireAt(clock_.UnixMs() + std::min(bad, kMaxTtlMs + 1), clock_.UnixMs()).ok())
        << bad;
  }
  EXPECT_TRUE(CheckTtl("ttl_ms", 1).ok());
  EXPECT_TRUE(CheckTtl("ttl_ms", kMaxTtlMs).ok());
  EXPECT_TRUE(CheckExpireAt(clock_.UnixMs() + 1, clock_.UnixMs()).ok());
}

TEST_F(HandlersTest, ABadEntryFailsTheWholeBatchBeforeAnythingIsWritten) {
  v1::MSetRequest request;
  request.add_entries()->set_key("good");
  request.add_entries()->set_key("");
  v1::MSetResponse response;
  EXPECT_EQ(ReasonIn(handlers_.MSet(request, &response)), "KEY_EMPTY");
  EXPECT_FALSE(Get("good").found());
}

TEST_F(HandlersTest, ABatchIsWrittenInOrderWithAndWithoutRequestIds) {
  // More than one step of the store, each key three times, every seventh entry with a request_id.
  v1::MSetRequest request;
  for (int i = 0; i < 300; ++i) {
    v1::SetRequest* entry = request.add_entries();
    entry->set_key("k" + std::to_string(i % 100));
    entry->set_value(std::to_string(i));
    if (i % 7 == 0) entry->set_request_id("id" + std::to_string(i));
  }
  v1::MSetResponse response;
  ASSERT_TRUE(handlers_.MSet(request, &response).ok());
  ASSERT_EQ(response.results_size(), 300);
  for (int i = 0; i < 100; ++i) {
    const auto version = [&](int entry) { return response.results(entry).response().version(); };
    EXPECT_LT(version(i), version(i + 100));
    EXPECT_LT(version(i + 100), version(i + 200));
    EXPECT_EQ(Get("k" + std::to_string(i)).value(), std::to_string(i + 200));
    EXPECT_EQ(Get("k" + std::to_string(i)).version(), version(i + 200));
  }
}

TEST_F(HandlersTest, AScanGoesOnFromTheCursorOfAnyMessageAndSeesEachKeyOnce) {
  for (int i = 0; i < 2000; ++i)
    ASSERT_TRUE(Set("k" + std::to_string(i), std::string(900, 'v')).ok());
  v1::ScanRequest request;
  request.set_with_values(true);
  const auto messages = Scan(request);
  EXPECT_GE(messages.size(), 2u);
  EXPECT_EQ(messages.back().cursor(), "");
  size_t seen = 0;
  for (const auto& message : messages) {
    EXPECT_LE(message.ByteSizeLong(), kMaxReplyBytes);
    seen += static_cast<size_t>(message.entries_size());
    if (message.cursor().empty()) continue;
    request.set_cursor(message.cursor());
    size_t rest = 0;
    for (const auto& later : Scan(request)) rest += static_cast<size_t>(later.entries_size());
    EXPECT_EQ(seen + rest, 2000u);
  }
  EXPECT_EQ(seen, 2000u);
}

TEST_F(HandlersTest, AScanKeepsToItsLimit) {
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(Set("k" + std::to_string(i), "v").ok());
  v1::ScanRequest request;
  std::set<std::string> seen;
  request.set_limit(7);
  do {
    int in_stream = 0;
    for (const auto& message : Scan(request)) {
      in_stream += message.entries_size();
      for (const auto& entry : message.entries()) EXPECT_TRUE(seen.insert(entry.key()).second);
      request.set_cursor(message.cursor());
    }
    EXPECT_LE(in_stream, 7);
  } while (!request.cursor().empty());
  EXPECT_EQ(seen.size(), 500u);
}

TEST_F(HandlersTest, AForeignCursorIsRefused) {
  v1::ScanRequest request;
  ScanCursor position;
  for (const std::string& cursor :
       {std::string("x"), std::string(24, '\0'), EncodeCursor({1, 2, 3}).substr(1),
        EncodeCursor({1, 2, 3}).replace(10, 1, "!")}) {
    request.set_cursor(cursor);
    EXPECT_EQ(ReasonIn(ScanBeginning(request, &position)), "CURSOR_INVALID");
  }
  request.set_cursor(EncodeCursor({1, 2, 3}));
  EXPECT_TRUE(ScanBeginning(request, &position).ok());
}

TEST_F(HandlersTest, OutcomesAreCounted) {
  EXPECT_TRUE(Set("k", "v").ok());
  Get("k");
  Get("absent");
  Get("absent");
  EXPECT_EQ(ThreadCounters::Current().count(CacheOutcome::kSetStored), 1u);
  EXPECT_EQ(ThreadCounters::Current().count(CacheOutcome::kGetHit), 1u);
  EXPECT_EQ(ThreadCounters::Current().count(CacheOutcome::kGetMiss), 2u);
}

TEST(Status, AnErrorIsTheSameInABatch) {
  const v1::OperationError error =
      ToOperationError(MakeError(absl::StatusCode::kResourceExhausted, v1::MEMORY_FULL, "full"));
  EXPECT_EQ(error.code(), static_cast<int>(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(error.message(), "full");
  EXPECT_EQ(error.reason(), v1::MEMORY_FULL);
  EXPECT_GT(error.retry_pushback_ms(), 0);
  const v1::OperationError wrong =
      ToOperationError(InvalidArgument(v1::KEY_TOO_LARGE, "no", {{"limit", "4096"}}));
  EXPECT_EQ(wrong.metadata().size(), 1u);
  EXPECT_EQ(wrong.metadata().at("limit"), "4096");
  EXPECT_FALSE(wrong.has_retry_pushback_ms());
}

TEST(Status, AReasonIsCalledAsItsValue) {
  for (int reason = v1::ErrorReason_MIN; reason <= v1::ErrorReason_MAX; ++reason) {
    if (!v1::ErrorReason_IsValid(reason)) continue;
    const absl::Status status = InvalidArgument(static_cast<v1::ErrorReason>(reason), "no");
    EXPECT_EQ(ErrorInfoOf(status).reason(),
              v1::ErrorReason_descriptor()->FindValueByNumber(reason)->name());
    EXPECT_EQ(ReasonOf(status), reason);
  }
  EXPECT_EQ(ReasonOf(absl::InternalError("no details")), v1::ERROR_REASON_UNSPECIFIED);
}

TEST_F(HandlersTest, AMessageOfAScanHasOneValueOrAtMostAsMuchAsAReply) {
  std::vector<size_t> sizes;
  for (int i = 0; i < 300; ++i) sizes.push_back(i % 50 == 0 ? kMaxReplyBytes + i : 5000);
  for (size_t i = 0; i < sizes.size(); ++i) {
    store_.Set("s" + std::to_string(i), std::string(sizes[i], 'v'));
  }
  v1::ScanRequest request;
  request.set_with_values(true);
  size_t seen = 0;
  for (const v1::ScanResponse& response : Scan(request)) {
    const bool fits = response.ByteSizeLong() <= kMaxReplyBytes + 1000;  // and what is around it
    EXPECT_TRUE(fits || response.entries_size() == 1) << response.entries_size();
    seen += static_cast<size_t>(response.entries_size());
  }
  EXPECT_EQ(seen, sizes.size());
}

}  // namespace
}  // namespace ferrite
