#include "client/batch_call.h"

#include <gtest/gtest.h>

#include <optional>

namespace ferrite {
namespace {

v1::MGetRequest MGetOf(const std::vector<std::string>& keys) {
  v1::MGetRequest request;
  for (const std::string& key : keys) request.add_keys(key);
  return request;
}

v1::MGetResponse AnswersOf(const std::vector<std::string>& values) {
  v1::MGetResponse response;
  for (const std::string& value : values) response.add_results()->set_value(value);
  return response;
}

std::vector<std::string> ValuesIn(const v1::MGetResponse& response) {
  std::vector<std::string> values;
  for (const v1::GetResponse& result : response.results()) values.push_back(result.value());
  return values;
}

TEST(BatchTest, TakesTheItemsAtTheirPositions) {
  v1::MGetRequest request = MGetOf({"a", "b", "c", "d"});
  const v1::MGetRequest part = TakeItems(request, {1, 3});
  ASSERT_EQ(part.keys_size(), 2);
  EXPECT_EQ(part.keys(0), "b");
  EXPECT_EQ(part.keys(1), "d");
}

TEST(BatchTest, TakesWholeEntries) {
  v1::MSetRequest request;
  for (const char* key : {"a", "b"}) {
    v1::SetRequest* entry = request.add_entries();
    entry->set_key(key);
    entry->set_ttl_ms(7);
  }
  const v1::MSetRequest part = TakeItems(request, {1});
  ASSERT_EQ(part.entries_size(), 1);
  EXPECT_EQ(KeyOf(part.entries(0)), "b");
  EXPECT_EQ(part.entries(0).ttl_ms(), 7);
}

TEST(BatchTest, PutsAnswersBackInTheOrderOfTheRequest) {
  auto response = EmptyAnswers<v1::MGetResponse>(4);
  v1::MGetResponse first = AnswersOf({"B", "D"});
  v1::MGetResponse second = AnswersOf({"A", "C"});
  PutAnswers(first, {1, 3}, &response);
  PutAnswers(second, {0, 2}, &response);
  EXPECT_EQ(ValuesIn(response), (std::vector<std::string>{"A", "B", "C", "D"}));
}

TEST(BatchTest, PutsBackYesAndNo) {
  auto response = EmptyAnswers<v1::ExistsResponse>(3);
  v1::ExistsResponse part;
  part.add_exists(true);
  part.add_exists(true);
  PutAnswers(part, {0, 2}, &response);
  ASSERT_EQ(response.exists_size(), 3);
  EXPECT_TRUE(response.exists(0));
  EXPECT_FALSE(response.exists(1));
  EXPECT_TRUE(response.exists(2));
}

class BatchCallTest : public testing::Test {
 protected:
  Callback<v1::MGetResponse> Keep() {
    return [this](absl::StatusOr<v1::MGetResponse> outcome) {
      ++times_;
      outcome_ = std::move(outcome);
    };
  }

  int times_ = 0;
  std::optional<absl::StatusOr<v1::MGetResponse>> outcome_;
};

TEST_F(BatchCallTest, EndsWithItsLastPart) {
  BatchCall<v1::MGetResponse> batch(3, 2, Keep());
  batch.EndPart({2, 0}, AnswersOf({"C", "A"}));
  EXPECT_EQ(times_, 0);
  batch.EndPart({1}, AnswersOf({"B"}));
  ASSERT_EQ(times_, 1);
  ASSERT_TRUE((*outcome_).ok());
  EXPECT_EQ(ValuesIn(**outcome_), (std::vector<std::string>{"A", "B", "C"}));
}

TEST_F(BatchCallTest, FirstFailureIsTheOutcome) {
  BatchCall<v1::MGetResponse> batch(3, 3, Keep());
  batch.EndPart({0}, absl::UnavailableError("first"));
  batch.EndPart({1}, AnswersOf({"B"}));
  batch.EndPart({2}, absl::InternalError("second"));
  ASSERT_EQ(times_, 1);
  EXPECT_EQ(outcome_->status(), absl::UnavailableError("first"));
}

}  // namespace
}  // namespace ferrite
