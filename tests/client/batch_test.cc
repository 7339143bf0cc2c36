#include "client/batch_call.h"

#include <gtest/gtest.h>

#include <chrono>
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

TEST(BatchTest, CopiesTheItemsAtTheirPositions) {
  v1::MGetRequest request = MGetOf({"a", "b", "c", "d"});
  const v1::MGetRequest part = CopyItems(request, {1, 3});
  ASSERT_EQ(part.keys_size(), 2);
  EXPECT_EQ(part.keys(0), "b");
  EXPECT_EQ(part.keys(1), "d");
}

TEST(BatchTest, CopiesWholeEntries) {
  v1::MSetRequest request;
  for (const char* key : {"a", "b"}) {
    v1::SetRequest* entry = request.add_entries();
    entry->set_key(key);
    entry->set_ttl_ms(7);
  }
  const v1::MSetRequest part = CopyItems(request, {1});
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

// Three nodes, a key of each of which is named by its slot, and what was sent to them.
class BatchCallTest : public testing::Test {
 protected:
  using Batch = BatchCall<v1::MGetRequest, v1::MGetResponse>;
  struct Part {
    CallTerms terms;
    std::vector<std::string> keys;
    Callback<v1::MGetResponse> done;
  };

  BatchCallTest() {
    v1::Topology topology;
    for (uint32_t i = 0; i < 3; ++i) {
      topology.add_nodes();
      v1::TopologySlots* const slots = topology.add_slots();
      slots->set_first(i * 5000);
      slots->set_last(i == 2 ? kSlotCount - 1 : i * 5000 + 4999);
      slots->set_owner(i);
    }
    picture_ = *Picture::Create(topology, [](const std::string&) { return nullptr; });
  }

  // "hello" is the first node's, "bar" the second's, "foo" and "k1" the third's.
  void Start(const std::vector<std::string>& keys) {
    CallTerms terms;
    terms.timeout = absl::Seconds(10);
    terms.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    terms.repeatable = true;
    Batch::Start(MGetOf(keys), terms,
                 {.picture = [this] { return picture_; },
                  .send =
                      [this](CallTerms part_terms, v1::MGetRequest part, auto done) {
                        parts_.push_back({std::move(part_terms),
                                          {part.keys().begin(), part.keys().end()},
                                          std::move(done)});
                      }},
                 [this](absl::StatusOr<v1::MGetResponse> outcome) {
                   ++times_;
                   outcome_ = std::move(outcome);
                 });
  }
  // Every key of the part has its own name as its value.
  void Answer(size_t part) { parts_[part].done(AnswersOf(parts_[part].keys)); }
  // The same, but for one key.
  void AnswerBut(size_t part, uint32_t key, int code, v1::ErrorReason reason,
                 std::optional<int> pushback_ms) {
    v1::MGetResponse answer = AnswersOf(parts_[part].keys);
    answer.mutable_results(static_cast<int>(key))->Clear();
    v1::KeyError* const error = answer.add_errors();
    error->set_index(key);
    error->mutable_error()->set_code(code);
    error->mutable_error()->set_reason(reason);
    if (pushback_ms.has_value()) error->mutable_error()->set_retry_pushback_ms(*pushback_ms);
    parts_[part].done(answer);
  }

  std::shared_ptr<const Picture> picture_;
  std::vector<Part> parts_;
  int times_ = 0;
  std::optional<absl::StatusOr<v1::MGetResponse>> outcome_;
};

TEST_F(BatchCallTest, EndsWithItsLastPart) {
  Start({"foo", "hello", "k1", "bar"});
  ASSERT_EQ(parts_.size(), 3u);
  EXPECT_EQ(parts_[0].keys, (std::vector<std::string>{"foo", "k1"}));
  EXPECT_EQ(parts_[0].terms.route.slot, SlotOf("foo"));
  Answer(2);
  Answer(0);
  EXPECT_EQ(times_, 0);
  Answer(1);
  ASSERT_EQ(times_, 1);
  ASSERT_TRUE(outcome_->ok()) << outcome_->status();
  EXPECT_EQ(ValuesIn(**outcome_), (std::vector<std::string>{"foo", "hello", "k1", "bar"}));
}

TEST_F(BatchCallTest, ANodeThatFailsCostsItsKeysOnly) {
  Start({"bar", "foo", "hello", "k1"});
  Answer(0);
  parts_[1].done(absl::UnavailableError("gone"));
  Answer(2);
  ASSERT_TRUE(outcome_->ok()) << outcome_->status();
  EXPECT_EQ(ValuesIn(**outcome_), (std::vector<std::string>{"bar", "", "hello", ""}));
  ASSERT_EQ((*outcome_)->errors_size(), 2);
  EXPECT_EQ((*outcome_)->errors(0).index(), 1u);
  EXPECT_EQ((*outcome_)->errors(1).index(), 3u);
  EXPECT_EQ((*outcome_)->errors(0).error().message(), "gone");
}

TEST_F(BatchCallTest, FailsWithTheFirstKeyIfAllDo) {
  Start({"foo", "bar"});
  parts_[1].done(absl::UnavailableError("second"));
  parts_[0].done(absl::DeadlineExceededError("first"));
  EXPECT_EQ(outcome_->status(), absl::DeadlineExceededError("first"));
}

TEST_F(BatchCallTest, DoesNotSayThatNothingWasDoneWhereSomethingMayHaveBeen) {
  const auto unreachable = [](const char* executed) {
    v1::OperationError error;
    error.set_code(14);
    error.set_message(executed);
    error.set_reason(v1::PEER_UNREACHABLE);
    (*error.mutable_metadata())["executed"] = executed;
    return ToAbslStatus(error);
  };
  Start({"foo", "bar"});
  parts_[0].done(unreachable("no"));
  parts_[1].done(unreachable("unknown"));
  EXPECT_EQ(outcome_->status().message(), "unknown");
  EXPECT_TRUE(MayBeDone(outcome_->status()));
}

TEST_F(BatchCallTest, ABadRequestFailsAsAWhole) {
  Start({"foo", "bar"});
  Answer(0);
  parts_[1].done(absl::InvalidArgumentError("no"));
  EXPECT_EQ(outcome_->status(), absl::InvalidArgumentError("no"));
}

TEST_F(BatchCallTest, AKeyThatNobodyServesForNowIsAskedForAgain) {
  Start({"foo", "k1"});
  AnswerBut(0, 1, 14, v1::SLOT_IN_TRANSITION, 20);
  EXPECT_EQ(times_, 0);
  ASSERT_EQ(parts_.size(), 2u);
  EXPECT_EQ(parts_[1].keys, std::vector<std::string>{"k1"});
  EXPECT_EQ(parts_[1].terms.pause, absl::Milliseconds(20));
  EXPECT_EQ(parts_[1].terms.deadline, parts_[0].terms.deadline);
  AnswerBut(1, 0, 14, v1::PEER_UNREACHABLE, 30);
  Answer(2);
  ASSERT_TRUE(outcome_->ok()) << outcome_->status();
  EXPECT_EQ(ValuesIn(**outcome_), (std::vector<std::string>{"foo", "k1"}));
  EXPECT_EQ((*outcome_)->errors_size(), 0);
}

TEST_F(BatchCallTest, WhatAnEarlierTryMayHaveDoneIsNotDenied) {
  Start({"foo", "k1"});
  AnswerBut(0, 0, 14, v1::LEASE_LOST, 20);  // which does not say what was done
  ASSERT_EQ(parts_.size(), 2u);
  EXPECT_TRUE(parts_[1].terms.may_be_done);
  AnswerBut(1, 0, 14, v1::SLOT_UNOWNED, 20'000);
  ASSERT_TRUE(outcome_->ok()) << outcome_->status();
  ASSERT_EQ((*outcome_)->errors_size(), 1);
  EXPECT_EQ((*outcome_)->errors(0).error().reason(), v1::SLOT_UNOWNED);
  EXPECT_TRUE(MayBeDone((*outcome_)->errors(0).error()));
}

TEST_F(BatchCallTest, AKeyIsAskedForEverLessOften) {
  Start({"foo", "k1"});
  AnswerBut(0, 0, 14, v1::SLOT_UNOWNED, std::nullopt);
  for (size_t part = 1; part < 5; ++part) {
    ASSERT_EQ(parts_.size(), part + 1);
    const absl::Duration longest = RetryPolicy().initial_backoff * (1 << (part - 1));
    EXPECT_GE(parts_[part].terms.pause, longest / 2);
    EXPECT_LE(parts_[part].terms.pause, longest);
    AnswerBut(part, 0, 14, v1::SLOT_UNOWNED, std::nullopt);
  }
}

TEST_F(BatchCallTest, AKeyIsNotAskedForAgainBeyondTheDeadline) {
  Start({"foo", "k1"});
  AnswerBut(0, 0, 14, v1::SLOT_UNOWNED, 20'000);
  ASSERT_TRUE(outcome_->ok()) << outcome_->status();
  ASSERT_EQ((*outcome_)->errors_size(), 1);
  EXPECT_EQ((*outcome_)->errors(0).error().reason(), v1::SLOT_UNOWNED);
}

}  // namespace
}  // namespace ferrite
