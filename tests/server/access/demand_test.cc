// What operations ask for, by their bytes: the same by every way that the bytes may take.

#include "server/access/demand.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "ferrite/v1/cache.pb.h"
#include "server/access/checked_rpcs.h"
#include "server/call/status.h"
#include "store/operation.h"

namespace ferrite {
namespace {

using policy::Verb;
using policy::Verbs;

constexpr OperationLimits kLimits = {
    .key_bytes = kMaxKeyBytes, .value_bytes = size_t{1} << 20, .ttl_ms = kMaxTtlMs};

Demand DemandOf(const v1::Operation& operation, std::string* bytes) {
  operation.SerializeToString(bytes);
  return DemandOfOperation(ParseOperation(*bytes, kLimits));
}

// By the message, as somebody would who knows nothing of bytes.
Demand Expected(const v1::Operation& operation) {
  switch (operation.operation_case()) {
    case v1::Operation::kGet:
      return {.name = operation.get().key(),
              .verbs = operation.get().has_touch_ttl_ms() ? Verb::kRead | Verb::kWrite
                                                          : Verbs(Verb::kRead)};
    case v1::Operation::kSet:
      return {.name = operation.set().key(),
              .verbs = operation.set().return_previous() ? Verb::kRead | Verb::kWrite
                                                         : Verbs(Verb::kWrite)};
    case v1::Operation::kDelete:
      return {.name = operation.delete_().key(), .verbs = Verb::kDelete};
    case v1::Operation::kTouch:
      return {.name = operation.touch().key(),
              .verbs = operation.touch().expiry_case() == v1::TouchRequest::EXPIRY_NOT_SET
                           ? Verbs(Verb::kRead)
                           : Verb::kRead | Verb::kWrite};
    case v1::Operation::kIncr:
      return {.name = operation.incr().key(), .verbs = Verb::kRead | Verb::kWrite};
    case v1::Operation::kPublish:
      return {.name = operation.publish().channel(), .is_channel = true, .verbs = Verb::kPublish};
    case v1::Operation::kExists:
      return {.name = operation.exists().keys(0), .verbs = Verb::kRead};
    default:
      return {};
  }
}

class RandomOperations {
 public:
  explicit RandomOperations(unsigned seed) : random_(seed) {}

  v1::Operation Next() {
    v1::Operation operation;
    const std::string key = "key" + std::to_string(random_() % 100);
    switch (random_() % 7) {
      case 0:
        operation.mutable_get()->set_key(key);
        if (Coin()) operation.mutable_get()->set_touch_ttl_ms(Any());
        if (Coin()) operation.mutable_get()->set_if_version_not(Any());
        break;
      case 1:
        operation.mutable_set()->set_key(key);
        operation.mutable_set()->set_value(std::string(random_() % 300, 'v'));
        operation.mutable_set()->set_return_previous(Coin());
        if (Coin()) operation.mutable_set()->set_ttl_ms(Any());
        if (Coin()) operation.mutable_set()->set_request_id("id");
        break;
      case 2:
        operation.mutable_delete_()->set_key(key);
        if (Coin()) operation.mutable_delete_()->set_if_version(Any());
        break;
      case 3:
        operation.mutable_touch()->set_key(key);
        if (Coin()) operation.mutable_touch()->set_ttl_ms(Any());
        if (Coin()) operation.mutable_touch()->set_persist(true);
        if (Coin()) operation.mutable_touch()->set_expire_at_unix_ms(Any());
        break;
      case 4:
        operation.mutable_incr()->set_key(key);
        if (Coin()) operation.mutable_incr()->set_delta(0);
        break;
      case 5:
        operation.mutable_publish()->set_channel(key);
        break;
      default:
        operation.mutable_exists()->add_keys(key);
    }
    if (Coin()) operation.set_timeout_ms(Any());
    return operation;
  }

 private:
  bool Coin() { return random_() % 2 == 0; }
  int64_t Any() { return static_cast<int64_t>(random_() % 3) - 1; }

  std::mt19937 random_;
};

TEST(Demand, IsThatOfTheMessage) {
  RandomOperations random(1);
  for (int i = 0; i < 20'000; ++i) {
    const v1::Operation operation = random.Next();
    const Demand expected = Expected(operation);
    std::string bytes;
    const Demand found = DemandOf(operation, &bytes);
    ASSERT_TRUE(found.problem.ok()) << operation.DebugString();
    EXPECT_EQ(found.name, expected.name) << operation.DebugString();
    EXPECT_EQ(found.verbs, expected.verbs) << operation.DebugString();
    EXPECT_EQ(found.is_channel, expected.is_channel) << operation.DebugString();
  }
}

TEST(Demand, OfARequestInPiecesIsThatOfTheWhole) {
  for (const bool previous : {false, true}) {
    v1::SetRequest request;
    request.set_key("key");
    request.set_value(std::string(200'000, 'v'));
    request.set_return_previous(previous);
    const std::string bytes = request.SerializeAsString();
    for (const size_t piece : {1000ul, 70'000ul}) {
      std::vector<std::string_view> pieces;
      for (size_t at = 0; at < bytes.size(); at += piece)
        pieces.push_back(std::string_view(bytes).substr(at, piece));
      std::string copy;
      const Demand demand =
          DemandOfRequest(v1::Operation::kSetFieldNumber, Request(std::move(pieces)), &copy);
      EXPECT_TRUE(demand.problem.ok());
      EXPECT_EQ(demand.name, "key");
      EXPECT_EQ(demand.verbs.Have(Verb::kRead), previous);
    }
  }
}

TEST(Demand, WhatTwoParsersMayReadDifferentlyIsAProblem) {
  v1::Operation own;
  own.mutable_get()->set_key("own");
  v1::Operation other;
  other.mutable_set()->set_key("other");
  const std::string one = own.SerializeAsString();
  const std::string two = other.SerializeAsString();
  for (const std::string& bytes :
       {one + two, two + one, one + one, one + "\x0a", one + "\xa3\x06"}) {
    EXPECT_FALSE(DemandOfOperation(ParseOperation(bytes, kLimits)).problem.ok());
  }
}

// A group hides no key and adds none: what protobuf finds is what is asked for.
TEST(Demand, GroupsAreSkippedAsProtobufDoes) {
  v1::Operation own;
  own.mutable_get()->set_key("own");
  v1::Operation other;
  other.mutable_set()->set_key("other");
  const std::string one = own.SerializeAsString();
  const std::string group = "\xa3\x06" + other.SerializeAsString() + "\xa4\x06";
  for (const std::string& bytes : {one + group, group + one}) {
    v1::Operation parsed;
    ASSERT_TRUE(parsed.ParseFromString(bytes));
    ASSERT_EQ(parsed.get().key(), "own");
    const Demand demand = DemandOfOperation(ParseOperation(bytes, kLimits));
    EXPECT_TRUE(demand.problem.ok());
    EXPECT_EQ(demand.name, "own");
    EXPECT_EQ(demand.verbs, Verbs(Verb::kRead));
  }
  // The same of a request, whole and in pieces: what comes after the group counts.
  v1::SetRequest set;
  set.set_key("key");
  set.set_value(std::string(100'000, 'v'));
  v1::SetRequest late;
  late.set_key("late");
  late.set_return_previous(true);
  const std::string bytes = set.SerializeAsString() + group + late.SerializeAsString();
  v1::SetRequest merged;
  ASSERT_TRUE(merged.ParseFromString(bytes));
  ASSERT_EQ(merged.key(), "late");
  for (const size_t piece : {bytes.size(), size_t{1000}}) {
    std::vector<std::string_view> pieces;
    for (size_t at = 0; at < bytes.size(); at += piece)
      pieces.push_back(std::string_view(bytes).substr(at, piece));
    std::string copy;
    const Demand demand =
        DemandOfRequest(v1::Operation::kSetFieldNumber, Request(std::move(pieces)), &copy);
    EXPECT_TRUE(demand.problem.ok());
    EXPECT_EQ(demand.name, "late");
    EXPECT_TRUE(demand.verbs.Have(Verb::kRead));
  }
}

// Of two keys in a request the last one counts, as whoever executes it has it.
TEST(Demand, TheLastKeyCounts) {
  const std::string bytes = std::string("\x0a\x03one\x0a\x03two");
  v1::GetRequest message;
  ASSERT_TRUE(message.ParseFromString(bytes));
  std::string copy;
  EXPECT_EQ(
      DemandOfRequest(v1::Operation::kGetFieldNumber, Request(std::string_view(bytes)), &copy).name,
      message.key());
  EXPECT_EQ(DemandOfRequest(v1::Operation::kGetFieldNumber, bytes).name, message.key());
}

// An operation that is added to the contract and not to the demands would otherwise be refused, or
// worse.
TEST(Demand, EveryOperationOfTheContractAsksForSomething) {
  const auto* const requests = v1::Operation::descriptor()->FindOneofByName("operation");
  ASSERT_EQ(requests->field_count(), 7);
  for (int i = 0; i < requests->field_count(); ++i) {
    EXPECT_FALSE(DemandOfRequest(requests->field(i)->number(), "").verbs.empty())
        << requests->field(i)->name();
  }
  v1::Operation nothing;
  std::string bytes;
  EXPECT_EQ(ReasonOf(DemandOf(nothing, &bytes).problem), v1::OPERATION_UNKNOWN);
}

TEST(Demand, NobodyIsAllowedAnything) {
  const policy::Rights none;
  Identity nobody;
  nobody.rights = &none;
  RandomOperations random(2);
  for (int i = 0; i < 1000; ++i) {
    std::string bytes;
    EXPECT_FALSE(Allows(nobody, DemandOf(random.Next(), &bytes)));
  }
  EXPECT_FALSE(Allows(nobody, {}));
}

}  // namespace
}  // namespace ferrite
