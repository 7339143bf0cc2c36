#include "server/live_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "server/call/status.h"
#include "store/store.h"

namespace ferrite {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class LiveSettingsTest : public testing::Test {
 protected:
  static Settings Load(const std::vector<std::string>& arguments) {
    const Machine machine{.memory_bytes = {uint64_t{4} << 30, "a test"}, .cores = {4, "a test"}};
    auto settings = LoadSettings(arguments, {{"FERRITE_THREADS", "2"}}, machine);
    EXPECT_TRUE(settings.ok()) << settings.status();
    return *std::move(settings);
  }
  absl::Status Set(const std::string& name, const std::string& value) {
    v1::SetConfigRequest request;
    request.set_name(name);
    request.set_value(value);
    reply_.Clear();
    return live_.SetConfig(request, &reply_);
  }
  v1::Setting Get(const std::string& name) {
    v1::GetConfigRequest request;
    request.add_names(name);
    v1::GetConfigResponse response;
    EXPECT_TRUE(live_.GetConfig(request, &response).ok());
    return response.settings_size() == 1 ? response.settings(0) : v1::Setting();
  }

  uint64_t least_memory_ = 0;
  std::vector<uint64_t> memory_;
  std::vector<std::optional<absl::Duration>> thresholds_;
  std::vector<std::string> levels_;
  v1::SetConfigResponse reply_;
  LiveSettings live_{Load({"--max-memory=1GiB", "--max-value-bytes=32MiB"}),
                     [this] { return least_memory_; },
                     {.max_memory = [this](uint64_t bytes) { memory_.push_back(bytes); },
                      .slowlog_threshold = [this](auto to) { thresholds_.push_back(to); },
                      .log_level = [this](const auto& to) { levels_.push_back(to); }}};
};

TEST_F(LiveSettingsTest, TellsWhatEachSettingIsAndWhereThatComesFrom) {
  const v1::Setting memory = Get("max-memory");
  EXPECT_EQ(memory.value(), "1GiB");
  EXPECT_EQ(memory.in_force(), "1073741824");
  EXPECT_EQ(memory.default_value(), "65%");
  EXPECT_EQ(memory.source(), v1::SETTING_SOURCE_FLAG);
  EXPECT_TRUE(memory.changeable());
  EXPECT_THAT(memory.description(), HasSubstr("memory for entries"));
  EXPECT_EQ(Get("threads").source(), v1::SETTING_SOURCE_ENVIRONMENT);
  EXPECT_EQ(Get("listen").source(), v1::SETTING_SOURCE_DEFAULT);
  EXPECT_FALSE(Get("listen").changeable());
  v1::GetConfigResponse all;
  EXPECT_TRUE(live_.GetConfig({}, &all).ok());
  EXPECT_EQ(static_cast<size_t>(all.settings_size()), AllFlags().size());
}

TEST_F(LiveSettingsTest, AChangeTakesEffectAndIsTold) {
  ASSERT_TRUE(Set("max-memory", "512Mi").ok());
  EXPECT_THAT(memory_, ElementsAre(uint64_t{512} << 20));
  EXPECT_EQ(reply_.previous_value(), "1GiB");
  EXPECT_EQ(reply_.setting().in_force(), "536870912");
  EXPECT_EQ(Get("max-memory").value(), "512Mi");
  EXPECT_EQ(Get("max-memory").source(), v1::SETTING_SOURCE_CALL);
  ASSERT_TRUE(Set("slowlog-threshold", "250us").ok());
  ASSERT_TRUE(Set("slowlog-threshold", "off").ok());
  EXPECT_THAT(thresholds_, ElementsAre(absl::Microseconds(250), std::nullopt));
  ASSERT_TRUE(Set("log-level", "debug").ok());
  EXPECT_THAT(levels_, ElementsAre("debug"));
  EXPECT_THAT(live_.Changes(), ElementsAre(std::pair("log-level", 1), std::pair("max-memory", 1),
                                           std::pair("slowlog-threshold", 2)));
  v1::InfoResponse info;
  live_.Describe(&info);
  EXPECT_EQ(info.settings().at("max-memory"), "512Mi");
  EXPECT_EQ(info.settings().at("slowlog-threshold"), "off");
}

TEST_F(LiveSettingsTest, AShareIsOfWhatTheServerStartedWith) {
  ASSERT_TRUE(Set("max-memory", "50%").ok());
  // Of 4 GiB the program takes 32 MiB, and each of its two threads 4 MiB.
  EXPECT_THAT(memory_, ElementsAre(((uint64_t{4} << 30) - (uint64_t{40} << 20)) / 100 * 50));
}

TEST_F(LiveSettingsTest, WhatWouldBeRefusedAtTheStartIsRefusedNow) {
  const auto refused = [this](const char* name, const char* value, v1::ErrorReason reason) {
    const absl::Status status = Set(name, value);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << name << " " << value;
    EXPECT_EQ(ReasonOf(status), reason);
    return std::string(status.message());
  };
  EXPECT_THAT(refused("max-memory", "bogus", v1::SETTING_INVALID),
              HasSubstr("max-memory: 'bogus' is not an amount"));
  EXPECT_THAT(refused("max-memory", "1MiB", v1::SETTING_INVALID),
              HasSubstr("not from 16MiB to 16TiB"));
  EXPECT_EQ(
      refused("max-memory", "48MiB", v1::SETTING_INVALID),
      "max-memory: 48MiB are less than twice --max-value-bytes (32MiB), so such a value could "
      "not be replaced");
  EXPECT_THAT(refused("log-level", "loud", v1::SETTING_INVALID), HasSubstr("not one of debug"));
  EXPECT_THAT(refused("slowlog-threshold", "10", v1::SETTING_INVALID), HasSubstr("from 0 to 24h"));
  EXPECT_EQ(refused("max-memroy", "1GiB", v1::SETTING_UNKNOWN),
            "there is no setting 'max-memroy'; did you mean max-memory?");
  EXPECT_THAT(memory_, IsEmpty());
  EXPECT_EQ(Get("max-memory").value(), "1GiB");
  EXPECT_EQ(Get("log-level").value(), "info");
}

TEST_F(LiveSettingsTest, TellsHowManyShardsThereAre) {
  live_.TellShards(16);
  EXPECT_EQ(Get("shards").value(), "0");
  EXPECT_EQ(Get("shards").in_force(), "16");
}

TEST_F(LiveSettingsTest, ACallIsBlamedForWhatItSets) {
  LiveSettings live{Load({"--shards=64", "--max-memory=1GiB"}), [] { return 0; }, {}};
  v1::SetConfigRequest request;
  request.set_name("max-memory");
  request.set_value("128MiB");
  EXPECT_EQ(live.SetConfig(request, &reply_).message(),
            "max-memory: 128MiB are too few for --shards (64), which need 264MiB");
}

TEST_F(LiveSettingsTest, ShardsAndTablesKeepWhatTheyNeed) {
  least_memory_ = (uint64_t{200} << 20) - 1;
  const absl::Status status = Set("max-memory", "199MiB");
  EXPECT_EQ(ReasonOf(status), v1::SETTING_INVALID);
  EXPECT_EQ(status.message(),
            "max-memory: 199MiB are too few for the shards and tables that the store has by now; "
            "the least is 200MiB");
  EXPECT_EQ(ErrorInfoOf(status).metadata().at("limit"), "209715200");
  EXPECT_THAT(memory_, IsEmpty());
  EXPECT_TRUE(Set("max-memory", "200MiB").ok());
  EXPECT_TRUE(Set("max-memory", "0").ok()) << "no limit";
  // It stands above what other settings are told.
  least_memory_ = uint64_t{2} << 30;
  ASSERT_TRUE(Set("max-memory", "2GiB").ok());
  least_memory_ = uint64_t{3} << 30;
  EXPECT_TRUE(Set("log-level", "debug").ok());
}

// Of a store: what is said to be the least is enough, and leaves room for entries.
TEST_F(LiveSettingsTest, TheLeastThatIsSaidWorks) {
  Store store({.shards = 2, .max_memory_bytes = size_t{256} << 20});
  LiveSettings live{Load({"--max-memory=256MiB"}),
                    [&] { return store.LeastMemoryBytes(); },
                    {.max_memory = [&](uint64_t bytes) { store.SetMaxMemoryBytes(bytes); }}};
  for (int i = 0; i < 1'000'000; ++i) store.Set(absl::StrCat(i), "v");
  v1::SetConfigRequest request;
  request.set_name("max-memory");
  request.set_value(absl::StrCat(store.Stats().table_bytes + (1 << 20)));
  const absl::Status status = live.SetConfig(request, &reply_);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  request.set_value(ErrorInfoOf(status).metadata().at("limit"));
  ASSERT_TRUE(live.SetConfig(request, &reply_).ok());
  while (store.HasExcess()) store.Sweep();
  EXPECT_GT(store.Stats().entries, 1000u);
}

TEST_F(LiveSettingsTest, NamesAndValuesOfAnyLengthAreAnswered) {
  // Beyond the end that is shown, and within a letter of two bytes.
  const std::string name = std::string(63, 'x') + "\u00e9" + std::string(size_t{4} << 20, 'x');
  const absl::Status unknown = Set(name, "1");
  EXPECT_EQ(ReasonOf(unknown), v1::SETTING_UNKNOWN);
  EXPECT_EQ(unknown.message(), "there is no setting '" + std::string(63, 'x') + "...'");
  const absl::Status invalid = Set("max-memory", std::string(size_t{4} << 20, '1'));
  EXPECT_EQ(ReasonOf(invalid), v1::SETTING_INVALID);
  EXPECT_EQ(invalid.message(), "max-memory: the value has 4194304 bytes; the limit is 64");
}

TEST_F(LiveSettingsTest, AsManySettingsAsThereAreMayBeNamed) {
  v1::GetConfigRequest request;
  for (const Flag& flag : AllFlags()) request.add_names(std::string(flag.name));
  v1::GetConfigResponse all;
  EXPECT_TRUE(live_.GetConfig(request, &all).ok());
  request.add_names("threads");
  v1::GetConfigResponse none;
  const absl::Status status = live_.GetConfig(request, &none);
  EXPECT_EQ(ReasonOf(status), v1::BATCH_TOO_LARGE);
  const std::string most = absl::StrCat(AllFlags().size());
  EXPECT_EQ(status.message(),
            absl::StrCat("the request names ", AllFlags().size() + 1,
                         " settings; the limit is the ", most, " that there are"));
  EXPECT_EQ(ErrorInfoOf(status).metadata().at("limit"), most);
  EXPECT_EQ(none.settings_size(), 0);
}

TEST_F(LiveSettingsTest, WhatNeedsARestartSaysSo) {
  const absl::Status status = Set("max-connections", "10");
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(status), v1::SETTING_FIXED);
  EXPECT_EQ(status.message(),
            "max-connections needs a restart, with --max-connections=VALUE or "
            "FERRITE_MAX_CONNECTIONS; a running server can change max-memory, slowlog-threshold, "
            "log-level");
}

TEST_F(LiveSettingsTest, MoreThanThereIsIsWarnedOf) {
  ASSERT_TRUE(Set("max-memory", "5GiB").ok());
  EXPECT_THAT(reply_.warnings(), ElementsAre(HasSubstr("but there are 4GiB of a test")));
  v1::InfoResponse info;
  live_.Describe(&info);
  EXPECT_EQ(info.warnings_size(), 1);
  ASSERT_TRUE(Set("max-memory", "1GiB").ok());
  EXPECT_THAT(reply_.warnings(), IsEmpty());
}

TEST_F(LiveSettingsTest, FewerConnectionsThanAskedForAreToldOf) {
  live_.LimitConnections(42);
  EXPECT_EQ(Get("max-connections").in_force(), "42");
  ASSERT_TRUE(Set("log-level", "error").ok());
  EXPECT_EQ(Get("max-connections").in_force(), "42");
  v1::InfoResponse info;
  live_.Describe(&info);
  EXPECT_THAT(info.warnings(), ElementsAre(HasSubstr("descriptors for 42 connections only")));
  EXPECT_EQ(info.available_memory_bytes(), uint64_t{4} << 30);
  EXPECT_EQ(info.available_memory_source(), "a test");
}

}  // namespace
}  // namespace ferrite
