#include "server/settings/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/flags/reflection.h"
#include "server/settings/quantity.h"

namespace ferrite {
namespace {

using testing::HasSubstr;

TEST(Quantity, ReadsAmountsOfMemory) {
  EXPECT_EQ(*ParseBytes("0"), 0u);
  EXPECT_EQ(*ParseBytes("1048576"), 1048576u);
  EXPECT_EQ(*ParseBytes("12B"), 12u);
  EXPECT_EQ(*ParseBytes("64KiB"), 65536u);
  EXPECT_EQ(*ParseBytes("64K"), 65536u);
  EXPECT_EQ(*ParseBytes("3MB"), 3u << 20);
  EXPECT_EQ(*ParseBytes("2GiB"), uint64_t{2} << 30);
  EXPECT_EQ(*ParseBytes("1TiB"), uint64_t{1} << 40);
  for (const char* bad : {"", "GiB", "-1", "1.5GiB", "1XiB", "1GiBs", "1 GiB",
                          "99999999999999999999", "99999999999TiB"}) {
    EXPECT_FALSE(ParseBytes(bad).ok()) << bad;
  }
}

TEST(Quantity, ReadsShares) {
  EXPECT_EQ(*ParseBytesOrShare("75%", 1000), 750u);
  EXPECT_EQ(*ParseBytesOrShare("100%", 1000), 1000u);
  EXPECT_EQ(*ParseBytesOrShare("1KiB", 1000), 1024u);
  for (const char* bad : {"0%", "101%", "%", "7.5%", "-1%"})
    EXPECT_FALSE(ParseBytesOrShare(bad, 1000).ok()) << bad;
}

TEST(Address, ReadsHostsAndPorts) {
  EXPECT_EQ(ParseAddress("127.0.0.1:6380")->port, 6380);
  EXPECT_EQ(ParseAddress("[::1]:0")->host, "::1");
  EXPECT_EQ(ParseAddress("[::1]:80")->ToString(), "[::1]:80");
  for (const char* bad : {"", "localhost", ":6380", "localhost:", "localhost:port",
                          "localhost:65536", "localhost:-1"}) {
    EXPECT_FALSE(ParseAddress(bad).ok()) << bad;
  }
}

class SettingsTest : public testing::Test {
 protected:
  absl::StatusOr<Settings> Load(const std::vector<std::string>& arguments,
                                const std::map<std::string, std::string>& environment = {}) {
    return LoadSettings(arguments, environment);
  }
  std::string Complaint(const std::vector<std::string>& arguments,
                        const std::map<std::string, std::string>& environment = {}) {
    return std::string(Load(arguments, environment).status().message());
  }
  absl::FlagSaver flags_;  // they are global: each test starts from the defaults
};

TEST_F(SettingsTest, HasDefaultsThatWork) {
  const auto settings = Load({});
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->listen.ToString(), "127.0.0.1:6380");
  EXPECT_EQ(settings->http_listen->ToString(), "127.0.0.1:6381");
  EXPECT_EQ(settings->max_value_bytes, 1u << 20);
  EXPECT_GT(settings->max_memory_bytes, 16u << 20);
  EXPECT_GE(settings->threads, 1);
  EXPECT_TRUE(settings->evict);
  EXPECT_EQ(settings->by_flag.at("max-memory"), "75%");
}

TEST_F(SettingsTest, FlagsGoBeforeTheEnvironment) {
  const auto settings =
      Load({"--max-memory=1GiB", "--eviction", "noeviction", "--http-listen="},
           {{"FERRITE_MAX_MEMORY", "2GiB"}, {"FERRITE_THREADS", "3"}, {"OTHER", "x"}});
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->max_memory_bytes, uint64_t{1} << 30);
  EXPECT_EQ(settings->threads, 3);
  EXPECT_FALSE(settings->evict);
  EXPECT_FALSE(settings->http_listen.has_value());
}

TEST_F(SettingsTest, RefusesWhatIsUnknownOrImpossibleAndSaysWhy) {
  EXPECT_THAT(Complaint({"--max-memry=1GiB"}), HasSubstr("unknown flag '--max-memry=1GiB'"));
  EXPECT_THAT(Complaint({"stray"}), HasSubstr("unknown flag 'stray'"));
  EXPECT_THAT(Complaint({"--threads"}), HasSubstr("--threads needs a value"));
  EXPECT_THAT(Complaint({"--threads=many"}), HasSubstr("'many' is not allowed"));
  EXPECT_THAT(Complaint({"--threads=-1"}), HasSubstr("--threads: -1 is not from 0 to 1024"));
}

TEST_F(SettingsTest, RefusesBadValuesWithTheFlagAndTheLimit) {
  EXPECT_THAT(Complaint({"--max-memory=1MiB"}), HasSubstr("the least is 16MiB"));
  EXPECT_THAT(Complaint({}, {{"FERRITE_MAX_MEMORY", "bogus"}}), HasSubstr("--max-memory: 'bogus'"));
}

TEST_F(SettingsTest, WorkInProgressIsBounded) {
  const auto settings = Load({"--max-inflight-operations=10", "--max-inflight-bytes=64MiB"});
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->max_inflight_operations, 10u);
  EXPECT_EQ(settings->max_inflight_bytes, 64u << 20);
  EXPECT_THAT(Complaint({"--max-inflight-operations=0"}), HasSubstr("0 is not from 1 to"));
  EXPECT_THAT(Complaint({"--max-inflight-operations=1", "--max-inflight-bytes=0"}),
              HasSubstr("the least is 1MiB"));
}

TEST_F(SettingsTest, RefusesBadChoices) {
  EXPECT_THAT(Complaint({"--eviction=lru"}), HasSubstr("neither s3-fifo nor noeviction"));
}

TEST_F(SettingsTest, TheSlowLogHasAThresholdOrIsOff) {
  EXPECT_EQ(Load({})->slowlog_threshold, absl::Milliseconds(10));
  EXPECT_EQ(Load({})->slowlog_entries, 128u);
  EXPECT_EQ(Load({"--slowlog-threshold=250us"})->slowlog_threshold, absl::Microseconds(250));
  EXPECT_EQ(Load({"--slowlog-threshold=0"})->slowlog_threshold, absl::ZeroDuration());
  for (const char* off : {"off", "-1", "-5ms"}) {
    EXPECT_EQ(Load({std::string("--slowlog-threshold=") + off})->slowlog_threshold, std::nullopt);
  }
  EXPECT_THAT(Complaint({"--slowlog-threshold=10"}), HasSubstr("'10' is neither a duration"));
  EXPECT_THAT(Complaint({"--slowlog-threshold=0", "--slowlog-entries=0"}),
              HasSubstr("--slowlog-entries: 0 is not from 1 to 10000"));
}

TEST_F(SettingsTest, RefusesBadAddresses) {
  EXPECT_THAT(Complaint({"--listen=nowhere"}), HasSubstr("--listen: 'nowhere' is not HOST:PORT"));
}

TEST_F(SettingsTest, HelpNamesEveryFlag) {
  const std::string help = FlagHelp();
  const auto settings = Load({});
  for (const auto& [flag, value] : settings->by_flag)
    EXPECT_THAT(help, HasSubstr("--" + flag + " "));
}

}  // namespace
}  // namespace ferrite
