// The parts of subscriptions alone: when to reconnect, what waits, what is printed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/cli/events/event_report.h"
#include "client/error.h"
#include "client/subscription/reconnection.h"
#include "client/subscription/waiting_events.h"

namespace ferrite {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const RetryPolicy kPolicy = {
    .max_attempts = 1, .initial_backoff = absl::Milliseconds(100), .max_backoff = absl::Seconds(1)};

std::optional<absl::Duration> DelayAfter(const absl::Status& why, int failures = 1,
                                         std::optional<std::string_view> pushback = std::nullopt) {
  return ReconnectionDelay(kPolicy, failures, why, pushback, 0);
}

TEST(ReconnectionTest, PausesGrowToALimitHoweverManyFailed) {
  const absl::Status why = absl::UnavailableError("");
  EXPECT_EQ(DelayAfter(why, 1), absl::Milliseconds(50));
  EXPECT_EQ(DelayAfter(why, 2), absl::Milliseconds(100));
  EXPECT_EQ(DelayAfter(why, 5), absl::Milliseconds(500));
  EXPECT_EQ(DelayAfter(why, 2'000'000'000), absl::Milliseconds(500));
}

TEST(ReconnectionTest, TheServersWordGoesBeforeOurs) {
  const absl::Status why = absl::ResourceExhaustedError("");
  EXPECT_EQ(DelayAfter(why, 5, "7"), absl::Milliseconds(7));
  EXPECT_EQ(DelayAfter(why, 5, "-1"), std::nullopt);
  EXPECT_EQ(DelayAfter(why, 5, "soon"), std::nullopt);
  EXPECT_EQ(DelayAfter(absl::InvalidArgumentError(""), 5, "7"), std::nullopt);
}

TEST(ReconnectionTest, AServerDoesNotSendItsSubscribersAwayForEver) {
  const absl::Status why = absl::UnavailableError("");
  // So many milliseconds are more than clocks count.
  for (const char* pushback : {"60001", "9223372036854775807"}) {
    EXPECT_EQ(DelayAfter(why, 1, pushback), absl::Minutes(1)) << pushback;
  }
}

TEST(ReconnectionTest, ASlowSubscriberThatAskedToBeEndedIs) {
  v1::OperationError error;
  error.set_code(static_cast<int>(absl::StatusCode::kResourceExhausted));
  error.set_reason(v1::SUBSCRIBER_TOO_SLOW);
  EXPECT_EQ(DelayAfter(ToAbslStatus(error)), std::nullopt);
  error.set_reason(v1::OVERLOADED);
  EXPECT_TRUE(DelayAfter(ToAbslStatus(error)).has_value());
}

v1::SubscriptionEvent EventOf(const std::string& token) {
  v1::SubscriptionEvent event;
  event.set_resume_token(token);
  return event;
}

TEST(WaitingEventsTest, ThereIsRoomAgainWhenHalfOfThemAreGone) {
  WaitingEvents waiting(4, 1 << 20, "");
  bool again;
  for (const char* token : {"1", "2", "3"}) waiting.Receive(EventOf(token));
  EXPECT_TRUE(waiting.HasRoom());
  waiting.Receive(EventOf("4"));
  EXPECT_FALSE(waiting.HasRoom());
  EXPECT_EQ(waiting.Next(absl::ZeroDuration(), &again)->resume_token(), "1");
  EXPECT_FALSE(again);
  EXPECT_EQ(waiting.Next(absl::ZeroDuration(), &again)->resume_token(), "2");
  EXPECT_TRUE(again);
  EXPECT_EQ(waiting.Next(absl::ZeroDuration(), &again)->resume_token(), "3");
  EXPECT_FALSE(again) << "said once";
  EXPECT_TRUE(waiting.HasRoom());
}

TEST(WaitingEventsTest, BytesTakeRoomAsWell) {
  WaitingEvents waiting(100, 4000, "");
  bool again;
  v1::SubscriptionEvent large = EventOf("1");
  large.mutable_message()->set_payload(std::string(1900, 'x'));
  waiting.Receive(large);
  waiting.Receive(large);
  EXPECT_TRUE(waiting.HasRoom());
  waiting.Receive(large);
  EXPECT_FALSE(waiting.HasRoom());
  EXPECT_TRUE(waiting.Next(absl::ZeroDuration(), &again).ok());
  EXPECT_FALSE(again);
  EXPECT_TRUE(waiting.Next(absl::ZeroDuration(), &again).ok());
  EXPECT_TRUE(again) << "half of the bytes are gone";
  EXPECT_TRUE(waiting.HasRoom());
}

TEST(WaitingEventsTest, RoomForOneIsRoom) {
  WaitingEvents waiting(1, 1 << 20, "");
  bool again;
  EXPECT_TRUE(waiting.HasRoom());
  waiting.Receive(EventOf("1"));
  EXPECT_FALSE(waiting.HasRoom());
  EXPECT_TRUE(waiting.Next(absl::ZeroDuration(), &again).ok());
  EXPECT_TRUE(again);
}

TEST(WaitingEventsTest, TheEndComesAfterWhatWaits) {
  WaitingEvents waiting(4, 1 << 20, "start");
  bool again;
  waiting.Receive(EventOf("1"));
  waiting.End(absl::CancelledError("over"));
  EXPECT_EQ(waiting.resume_token(), "start");
  EXPECT_TRUE(waiting.Next(absl::ZeroDuration(), &again).ok());
  EXPECT_EQ(waiting.resume_token(), "1");
  EXPECT_TRUE(absl::IsCancelled(waiting.Next(absl::InfiniteDuration(), &again).status()));
}

v1::SubscriptionEvent SetEvent(const std::string& value) {
  v1::SubscriptionEvent event = EventOf("\xff");
  event.set_sequence(7);
  event.mutable_key_event()->set_key("k\n");
  event.mutable_key_event()->set_kind(v1::KEY_EVENT_KIND_SET);
  event.mutable_key_event()->set_version(9);
  event.mutable_key_event()->set_value(value);
  return event;
}

TEST(EventReportTest, RowsArePlainUnlessColored) {
  const absl::Time time =
      absl::FromCivil(absl::CivilSecond(2026, 1, 2, 3, 4, 5), absl::LocalTimeZone());
  EXPECT_EQ(cli::EventRow(SetEvent("v"), time, false), "03:04:05.000  set     k\\n  version 9  v");
  EXPECT_THAT(cli::EventRow(SetEvent("v"), time, true), HasSubstr("\x1b[32mset   \x1b[0m"));
}

TEST(EventReportTest, LongValuesAreCutBetweenCharacters) {
  std::string umlauts;
  for (int i = 0; i < 40; ++i) umlauts += "ü";
  const std::string row = cli::EventRow(SetEvent("x" + umlauts), absl::Now(), false);
  EXPECT_THAT(row, HasSubstr("... (81 B)"));
  EXPECT_THAT(row, Not(HasSubstr("\\x")));
  EXPECT_THAT(cli::EventRow(SetEvent(std::string(4096, '\xff')), absl::Now(), false),
              HasSubstr("\\xff... (4.0 KiB)"));
}

TEST(EventReportTest, AGapIsLoudAndSignsOfLifeAreNot) {
  v1::SubscriptionEvent event;
  event.mutable_discontinuity()->set_reason(v1::DISCONTINUITY_REASON_SLOW_CONSUMER);
  EXPECT_THAT(cli::EventRow(event, absl::Now(), false),
              HasSubstr("*** EVENTS MAY BE MISSING HERE: they were not read fast enough ***"));
  event.mutable_heartbeat();
  EXPECT_EQ(cli::EventRow(event, absl::Now(), false), "");
  event.mutable_acknowledgement();
  EXPECT_EQ(cli::EventRow(event, absl::Now(), false), "");
}

TEST(EventReportTest, JsonTellsAll) {
  v1::SubscriptionEvent event = SetEvent("\xff");
  event.set_coalesced(3);
  EXPECT_EQ(cli::EventJson(event).dump(),
            R"({"event":"set","sequence":7,"resume_token":"/w==","key":"k\n","version":9,)"
            R"("value":{"base64":"/w=="},"coalesced":3})");
  event = EventOf("t");
  event.mutable_discontinuity()->set_reason(v1::DISCONTINUITY_REASON_NOT_RECORDED);
  EXPECT_THAT(cli::EventJson(event).dump(), StartsWith(R"({"event":"discontinuity","sequence":0)"));
  EXPECT_EQ(cli::EventJson(event)["reason"], "NOT_RECORDED");
}

}  // namespace
}  // namespace ferrite
