#include "server/settings/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "base/byte_amount.h"
#include "server/settings/contradictions.h"
#include "server/settings/memory_plan.h"
#include "server/settings/quantity.h"

namespace ferrite {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr uint64_t kKiB = uint64_t{1} << 10;
constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kGiB = uint64_t{1} << 30;

TEST(Quantity, ReadsShares) {
  EXPECT_EQ(*ParseBytesOrShare("75%", 1000), 750u);
  EXPECT_EQ(*ParseBytesOrShare("100%", 1000), 1000u);
  EXPECT_EQ(*ParseBytesOrShare("1KiB", 1000), 1024u);
  EXPECT_EQ(*ParseBytesOrShare("1.5k", 1000), 1536u);
  for (const char* bad : {"0%", "101%", "%", "7.5%", "-1%", " 5%", "nan%"})
    EXPECT_FALSE(ParseBytesOrShare(bad, 1000).ok()) << bad;
}

TEST(Quantity, ReadsDurations) {
  EXPECT_EQ(*ParseDuration("250us"), absl::Microseconds(250));
  EXPECT_EQ(*ParseDuration("1h30m"), absl::Minutes(90));
  EXPECT_EQ(*ParseDuration("2d"), absl::Hours(48));
  EXPECT_EQ(*ParseDuration("0"), absl::ZeroDuration());
  for (const char* bad : {"", "10", "soon", "-1s", "inf", "-inf", "nan", "1 s", "1e999s", "1h1h"})
    EXPECT_FALSE(ParseDuration(bad).ok()) << bad;
}

Machine MachineOf(uint64_t memory_bytes, uint64_t cores) {
  return {.memory_bytes = {memory_bytes, "a test"}, .cores = {cores, "a test"}};
}

using Environment = std::map<std::string, std::string>;

absl::StatusOr<Settings> Load(const std::vector<std::string>& arguments,
                              const Environment& environment = {},
                              const Machine& machine = MachineOf(4 * kGiB, 4)) {
  return LoadSettings(arguments, environment, machine);
}

std::string Complaint(const std::vector<std::string>& arguments,
                      const Environment& environment = {},
                      const Machine& machine = MachineOf(4 * kGiB, 4)) {
  return std::string(Load(arguments, environment, machine).status().message());
}

TEST(Settings, HaveDefaultsThatWork) {
  const auto settings = LoadSettings({}, {});
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(ToString(settings->listen), "127.0.0.1:6380");
  EXPECT_EQ(ToString(settings->http_listen), "127.0.0.1:6381");
  EXPECT_EQ(settings->max_value_bytes, kMiB);
  EXPECT_GT(settings->max_memory_bytes, 16 * kMiB);
  EXPECT_GE(settings->threads, 1);
  EXPECT_TRUE(settings->evict);
  EXPECT_EQ(settings->flags.at("max-memory").text, "65%");
  EXPECT_TRUE(settings->warnings.empty());
}

TEST(Settings, DefaultsFitEveryContainer) {
  for (uint64_t memory = 64 * kMiB; memory <= 64 * kGiB; memory += memory / 8) {
    for (const uint64_t cores : {1, 2, 7, 64, 256}) {
      const auto settings = Load({}, {}, MachineOf(memory, cores));
      ASSERT_TRUE(settings.ok()) << settings.status() << " with " << RenderBytes(memory);
      const std::vector<MemoryUse> plan = MemoryPlan(*settings);
      EXPECT_LE(Sum(plan), memory) << RenderBytes(memory) << " and " << cores << " cores";
      EXPECT_GT(settings->max_memory_bytes, memory / 4) << RenderBytes(memory);
      EXPECT_TRUE(settings->warnings.empty()) << settings->warnings.front();
      EXPECT_LE(settings->threads, static_cast<int>(cores));
      for (const MemoryUse& use : plan) EXPECT_GT(use.bytes, 0u) << use.what;
    }
  }
}

TEST(Settings, DefaultsOfANodeOfAClusterFitAlmostAsSmallOnes) {
  for (uint64_t memory = 80 * kMiB; memory <= 64 * kGiB; memory += memory / 8) {
    const auto settings =
        Load({"--cluster-name=c", "--etcd-endpoints=127.0.0.1:2379", "--node-id=n"}, {},
             MachineOf(memory, 2));
    ASSERT_TRUE(settings.ok()) << settings.status() << " with " << RenderBytes(memory);
    EXPECT_EQ(RepliesOfPeersBytes(*settings), settings->max_inflight_bytes / 2);
    EXPECT_LE(Sum(MemoryPlan(*settings)), memory) << RenderBytes(memory);
  }
}

TEST(Settings, DefaultsGrowWithTheContainer) {
  const auto small = Load({}, {}, MachineOf(256 * kMiB, 2));
  const auto large = Load({}, {}, MachineOf(8 * kGiB, 2));
  EXPECT_LT(small->max_connections, 1000u);
  EXPECT_GT(small->max_connections, 100u);
  EXPECT_EQ(large->max_connections, 10'000u);
  EXPECT_LT(small->request_window_bytes, 8 * kMiB);
  EXPECT_GT(large->request_window_bytes, 200 * kMiB);
  EXPECT_LT(small->events.subscribers, large->events.subscribers);
  EXPECT_EQ(Load({}, {}, MachineOf(8 * kGiB, 8))->threads, 8);
  EXPECT_EQ(Load({}, {}, MachineOf(256 * kMiB, 64))->threads, 4);
}

TEST(Settings, EveryConnectionMayHaveAStream) {
  for (uint64_t memory = 64 * kMiB; memory <= 64 * kGiB; memory *= 2) {
    const auto settings = Load({}, {}, MachineOf(memory, 2));
    EXPECT_GE(settings->max_streams, settings->max_connections) << memory;
  }
}

TEST(Settings, AMachineThatIsTooSmallIsRefused) {
  EXPECT_THAT(Complaint({}, {}, MachineOf(48 * kMiB, 1)),
              AllOf(HasSubstr("--max-memory: 65% of 12MiB"), HasSubstr("the least is 16MiB")));
  EXPECT_THAT(Complaint({}, {}, MachineOf(0, 1)), HasSubstr("the least is 16MiB"));
}

TEST(Settings, FlagsGoBeforeTheEnvironment) {
  const auto settings =
      Load({"--max-memory=1GiB", "--eviction", "noeviction", "--http-listen="},
           {{"FERRITE_MAX_MEMORY", "2GiB"}, {"FERRITE_THREADS", "3"}, {"OTHER", "x"}});
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->max_memory_bytes, kGiB);
  EXPECT_EQ(settings->threads, 3);
  EXPECT_FALSE(settings->evict);
  EXPECT_TRUE(settings->http_listen.empty());
  EXPECT_EQ(settings->flags.at("max-memory").source, FlagSource::kCommandLine);
  EXPECT_EQ(settings->flags.at("threads").source, FlagSource::kEnvironment);
  EXPECT_EQ(settings->flags.at("shards").source, FlagSource::kDefault);
}

TEST(Settings, AddressesMayBeRepeated) {
  const auto settings = Load({"--listen=127.0.0.1:1,[::1]:1", "--listen", "unix:/run/f"},
                             {{"FERRITE_HTTP_LISTEN", "127.0.0.1:2,127.0.0.2:2"}});
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(ToString(settings->listen), "127.0.0.1:1,[::1]:1,unix:/run/f");
  EXPECT_EQ(ToString(settings->http_listen), "127.0.0.1:2,127.0.0.2:2");
  EXPECT_EQ(ToString(Load({"--insecure", "--listen=*:1", "--listen=", "--listen=*:2"})->listen),
            "*:2");
  EXPECT_TRUE(Load({"--http-listen=*:1", "--http-listen="})->http_listen.empty());
  EXPECT_EQ(ToString(Load({"--listen=127.0.0.1:1"}, {{"FERRITE_LISTEN", "127.0.0.1:9"}})->listen),
            "127.0.0.1:1");
}

TEST(Settings, PermissionsAreOctal) {
  EXPECT_EQ(Load({})->unix_socket_mode, mode_t{0660});
  EXPECT_EQ(Load({"--unix-socket-mode=0777"})->unix_socket_mode, mode_t{0777});
  for (const char* bad : {"", "8", "1777", "rw", "-1", "0x1ff"}) {
    EXPECT_THAT(Complaint({absl::StrCat("--unix-socket-mode=", bad)}),
                AllOf(HasSubstr("--unix-socket-mode: '"), HasSubstr("octal from 0 to 777")));
  }
}

TEST(Settings, OfAFlagThatIsGivenTwiceTheLastOneCounts) {
  EXPECT_EQ(Load({"--max-memory=1GiB", "--max-memory=2GiB"})->max_memory_bytes, 2 * kGiB);
  EXPECT_EQ(Load({"--max_memory", "64m"})->max_memory_bytes, 64 * kMiB);
}

TEST(Settings, AmountsAreUnderstoodAsPeopleWriteThem) {
  for (const char* text : {"512Mi", "512MiB", "512mb", "0.5g"}) {
    const auto settings =
        Load({absl::StrCat("--max-memory=", text)}, {{"FERRITE_REQUEST_WINDOW_BYTES", text},
                                                     {"FERRITE_MAX_INFLIGHT_BYTES", text},
                                                     {"FERRITE_HISTORY_BYTES", text},
                                                     {"FERRITE_SUBSCRIBER_TOTAL_BYTES", text},
                                                     {"FERRITE_SUBSCRIBER_QUEUE_BYTES", text}});
    ASSERT_TRUE(settings.ok()) << settings.status();
    for (const uint64_t bytes : {settings->max_memory_bytes, settings->request_window_bytes,
                                 settings->max_inflight_bytes, settings->events.history.bytes,
                                 settings->events.subscriber_bytes, settings->events.queue.bytes}) {
      EXPECT_EQ(bytes, 512 * kMiB) << text;
    }
  }
  EXPECT_EQ(Load({"--max-value-bytes=1.5Mi"})->max_value_bytes, 3 * kMiB / 2);
}

TEST(Settings, UnknownNamesAreRefusedWithTheOneThatIsMeant) {
  EXPECT_EQ(
      Complaint({"--max-memry=1GiB"}),
      "unknown flag '--max-memry=1GiB'; did you mean --max-memory? --help lists all settings");
  EXPECT_EQ(Complaint({"stray"}), "unknown flag 'stray'; --help lists all settings");
  EXPECT_THAT(Complaint({"-max-memory=1GiB"}), HasSubstr("did you mean --max-memory?"));
  EXPECT_EQ(Complaint({}, {{"FERRITE_MAX_MEMROY", "1GiB"}}),
            "unknown environment variable 'FERRITE_MAX_MEMROY'; did you mean FERRITE_MAX_MEMORY? "
            "--help lists all settings");
  EXPECT_THAT(Complaint({}, {{"FERRITE_max_memory", "1GiB"}}),
              HasSubstr("did you mean FERRITE_MAX_MEMORY?"));
  EXPECT_EQ(Complaint({}, {{"FERRITE_COLOR", "blue"}}),
            "unknown environment variable 'FERRITE_COLOR'; --help lists all settings");
  EXPECT_THAT(Complaint({"--threads"}), HasSubstr("--threads needs a value"));
}

TEST(Settings, WhatOthersPutIntoTheEnvironmentIsLeftAlone) {
  const auto settings = Load({}, {{"FERRITE_SERVER", "cache:6380"},
                                  {"FERRITE_SERVICE_HOST", "10.0.0.1"},
                                  {"FERRITE_SERVICE_PORT", "6380"},
                                  {"FERRITE_SERVICE_PORT_GRPC", "6380"},
                                  {"FERRITE_PORT", "tcp://10.0.0.1:6380"},
                                  {"FERRITE_PORT_6380_TCP", "tcp://10.0.0.1:6380"},
                                  {"FERRITE_PORT_6380_TCP_PROTO", "tcp"},
                                  {"FERRITE_PORT_6380_TCP_PORT", "6380"},
                                  {"FERRITE_PORT_6380_TCP_ADDR", "10.0.0.1"},
                                  {"FERRITE_HEADLESS_SERVICE_HOST", "10.0.0.2"},
                                  {"FERRITE_HEADLESS_PORT", "tcp://10.0.0.2:6380"},
                                  {"FERRITE_HEADLESS_PORT_53_UDP_ADDR", "10.0.0.2"}});
  EXPECT_TRUE(settings.ok()) << settings.status();
  // Somebody's wish, and not a service.
  EXPECT_THAT(Complaint({}, {{"FERRITE_PORT", "6380"}}), HasSubstr("'FERRITE_PORT'"));
}

TEST(Settings, ABadValueIsBlamedOnWhereItCameFrom) {
  EXPECT_THAT(Complaint({}, {{"FERRITE_MAX_MEMORY", "bogus"}}),
              HasSubstr("FERRITE_MAX_MEMORY: 'bogus' is not an amount"));
  EXPECT_THAT(Complaint({"--max-memory=bogus"}), HasSubstr("--max-memory: 'bogus'"));
  // Also those that are found later.
  EXPECT_THAT(Complaint({}, {{"FERRITE_MAX_MEMORY", "1MiB"}}),
              HasSubstr("FERRITE_MAX_MEMORY: '1MiB' is not from 16MiB to 16TiB"));
  EXPECT_THAT(Complaint({"--max-memory=32MiB"}, {{"FERRITE_MAX_VALUE_BYTES", "64MiB"}}),
              AllOf(HasSubstr("FERRITE_MAX_VALUE_BYTES: "), HasSubstr("--max-memory (32MiB)")));
  for (const Flag& flag : AllFlags()) {
    const std::string variable = EnvironmentName(flag.name);
    const std::string complaint = Complaint({}, {{variable, "\x01"}});
    EXPECT_THAT(complaint, AllOf(HasSubstr(variable + ": "), testing::Not(HasSubstr("--"))));
  }
}

TEST(Settings, NumbersOutOfRangeAreRefusedWithTheRange) {
  struct {
    const char* flag;
    const char* range;
  } const kCounts[] = {{"threads", "from 0 to 1024"},
                       {"shards", "from 0 to 4096"},
                       {"max-connections", "from 0 to 1000000"},
                       {"max-concurrent-streams", "from 1 to 1000000"},
                       {"max-inflight-operations", "from 1 to 4194304"},
                       {"slowlog-entries", "from 1 to 10000"},
                       {"max-subscribers", "from 0 to 16777216"},
                       {"subscriber-queue-events", "from 1 to 16777216"},
                       {"history-events", "from 1 to 16777216"}};
  for (const auto& [flag, range] : kCounts) {
    for (const char* bad : {"-1", "99999999999", "99999999999999999999999", "nan", "1.5", "", " 1",
                            "1 ", "0x10", "1e3", "many"}) {
      EXPECT_THAT(Complaint({absl::StrCat("--", flag, "=", bad)}),
                  AllOf(HasSubstr(absl::StrCat("--", flag, ": '", bad, "'")), HasSubstr(range)));
    }
  }
  struct {
    const char* flag;
    const char* least;
  } const kAmounts[] = {{"max-memory", "16MiB"},
                        {"max-value-bytes", "1B"},
                        {"max-inflight-bytes", "1MiB"},
                        {"request-window-bytes", "4KiB"},
                        {"history-bytes", "64KiB"},
                        {"subscriber-total-bytes", "64KiB"},
                        {"subscriber-queue-bytes", "64KiB"}};
  for (const auto& [flag, least] : kAmounts) {
    for (const char* bad : {"-1", "99999999999999999999GiB", "16000000TiB", "nan", "", "1 GiB",
                            "0.5", "0x10", "1XB"}) {
      EXPECT_THAT(Complaint({absl::StrCat("--", flag, "=", bad)}),
                  AllOf(HasSubstr(absl::StrCat("--", flag, ": '", bad, "'")),
                        HasSubstr(absl::StrCat("from ", least, " to "))));
    }
  }
  struct {
    const char* flag;
    const char* range;
  } const kDurations[] = {{"shutdown-grace", "0, or from 1ms to 1h"},
                          {"max-connection-age", "0, or from 1s to 480h"},
                          {"subscription-linger", "0, or from 1ms to 24h"},
                          {"slowlog-threshold", "from 0 to 24h"}};
  for (const auto& [flag, range] : kDurations) {
    for (const char* bad : {"inf", "nan", "", "10", "1 s", "999999h", "1e300h", "soon"}) {
      EXPECT_THAT(Complaint({absl::StrCat("--", flag, "=", bad)}),
                  AllOf(HasSubstr(absl::StrCat("--", flag, ": '", bad, "'")), HasSubstr(range)));
    }
  }
}

// In gRPC's milliseconds they would be 0, and no connection would live long enough to be served.
TEST(Settings, DurationsThatAreTooShortAreRefused) {
  EXPECT_EQ(Complaint({"--max-connection-age=500us"}),
            "--max-connection-age: '500us' is too short; it may be 0, or from 1s to 480h");
  EXPECT_THAT(Complaint({"--max-connection-age=999ms"}), HasSubstr("too short"));
  EXPECT_THAT(Complaint({"--shutdown-grace=999us"}), HasSubstr("'999us' is too short"));
  EXPECT_THAT(Complaint({"--subscription-linger=1ns"}), HasSubstr("'1ns' is too short"));
  EXPECT_TRUE(Load({"--max-connection-age=1s", "--shutdown-grace=0"}).ok());
  EXPECT_TRUE(Load({"--max-connection-age=0", "--subscription-linger=1ms"}).ok());
}

TEST(Settings, WorkInProgressIsBounded) {
  const auto settings = Load({"--max-inflight-operations=10", "--max-inflight-bytes=64MiB"});
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->max_inflight_operations, 10u);
  EXPECT_EQ(settings->max_inflight_bytes, 64 * kMiB);
}

TEST(Settings, ChoicesAreNamed) {
  EXPECT_EQ(Complaint({"--eviction=lru"}), "--eviction: 'lru' is not one of s3-fifo, noeviction");
  EXPECT_THAT(Complaint({"--log-format="}), HasSubstr("'' is not one of text, json"));
}

TEST(Settings, TheSlowLogHasAThresholdOrIsOff) {
  EXPECT_EQ(Load({})->slowlog_threshold, absl::Milliseconds(10));
  EXPECT_EQ(Load({})->slowlog_entries, 128u);
  EXPECT_EQ(Load({"--slowlog-threshold=250us"})->slowlog_threshold, absl::Microseconds(250));
  EXPECT_EQ(Load({"--slowlog-threshold=0"})->slowlog_threshold, absl::ZeroDuration());
  EXPECT_EQ(Load({"--slowlog-threshold=off"})->slowlog_threshold, std::nullopt);
  for (const char* negative : {"-1", "-5ms"}) {
    EXPECT_EQ(Complaint({absl::StrCat("--slowlog-threshold=", negative)}),
              absl::StrCat("--slowlog-threshold: '", negative,
                           "' is below zero; it may be from 0 to 24h, or off"));
  }
}

TEST(Settings, RefusesBadAddresses) {
  EXPECT_THAT(Complaint({"--listen=nowhere"}), HasSubstr("--listen: 'nowhere' is not HOST:PORT"));
}

TEST(Contradictions, AValueMustFitIntoMemory) {
  EXPECT_THAT(Complaint({"--max-value-bytes=64MiB", "--max-memory=32MiB"}),
              AllOf(HasSubstr("--max-value-bytes: 64MiB"), HasSubstr("--max-memory (32MiB)")));
  EXPECT_THAT(Complaint({"--max-value-bytes=17MiB", "--max-memory=32MiB"}),
              HasSubstr("more than half of --max-memory (32MiB)"));
  EXPECT_TRUE(Load({"--max-value-bytes=16MiB", "--max-memory=32MiB"}).ok());
  EXPECT_THAT(Complaint({"--max-value-bytes=64MiB"}, {}, MachineOf(128 * kMiB, 1)),
              HasSubstr("--max-memory (59.80MiB)"));
  EXPECT_THAT(Complaint({"--max-value-bytes=64MiB", "--max-memory=0"}, {}, MachineOf(96 * kMiB, 1)),
              HasSubstr("more than half of the 96MiB that there are"));
}

// The other one may be set, too: then it is the first to blame.
TEST(Contradictions, WhatNobodySetIsNotToBlame) {
  EXPECT_THAT(Complaint({"--listen=127.0.0.1:6381"}),
              HasSubstr("--listen: 127.0.0.1:6381 is taken by --http-listen (127.0.0.1:6381)"));
  EXPECT_THAT(Complaint({"--http-listen=127.0.0.1:6380"}),
              HasSubstr("--http-listen: 127.0.0.1:6380 is taken by --listen (127.0.0.1:6380)"));
  EXPECT_THAT(Complaint({"--shards=64", "--max-memory=128MiB"}), HasSubstr("--shards: 64"));
}

TEST(Contradictions, TheBudgetMustHoldOneLargestCall) {
  EXPECT_THAT(Complaint({"--max-inflight-bytes=2MiB", "--max-value-bytes=1MiB"}),
              AllOf(HasSubstr("--max-inflight-bytes: 2MiB have no room"),
                    HasSubstr("--max-value-bytes (1MiB)")));
  // What nobody set makes room.
  const auto settings = Load({"--max-value-bytes=32MiB"}, {}, MachineOf(512 * kMiB, 1));
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_GE(settings->max_inflight_bytes, LargestCallBytes(32 * kMiB));
}

TEST(Contradictions, ShardsNeedMemory) {
  EXPECT_THAT(
      Complaint({"--shards=4096", "--max-memory=1GiB"}),
      AllOf(HasSubstr("--shards: 4096 shards need 16.50GiB"), HasSubstr("--max-memory (1GiB)")));
  EXPECT_THAT(Complaint({"--shards=17", "--max-memory=128MiB"}), HasSubstr("need 132MiB"));
  EXPECT_TRUE(Load({"--shards=17", "--max-memory=132MiB"}).ok());
  EXPECT_TRUE(Load({"--shards=1", "--max-memory=16MiB"}).ok());
}

TEST(Contradictions, OneSubscriptionHasNoMoreThanAll) {
  EXPECT_THAT(Complaint({"--subscriber-queue-bytes=2MiB", "--subscriber-total-bytes=1MiB"}),
              AllOf(HasSubstr("--subscriber-queue-bytes: 2MiB"),
                    HasSubstr("--subscriber-total-bytes (1MiB)")));
  const auto settings = Load({"--subscriber-total-bytes=64KiB"});
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->events.queue.bytes, 64 * kKiB);
}

TEST(Contradictions, EachPortHasOneService) {
  for (const auto& [grpc, http] :
       {std::pair{"127.0.0.1:7000", "127.0.0.1:7000"}, std::pair{"0.0.0.0:7000", "127.0.0.1:7000"},
        std::pair{"localhost:7000", "[::]:7000"}}) {
    EXPECT_THAT(Complaint({absl::StrCat("--listen=", grpc), absl::StrCat("--http-listen=", http)}),
                AllOf(HasSubstr("--http-listen: "), HasSubstr(" is taken by --listen (")));
  }
  EXPECT_TRUE(Load({"--listen=127.0.0.1:0", "--http-listen=127.0.0.1:0"}).ok());
  EXPECT_TRUE(Load({"--listen=127.0.0.1:7000", "--http-listen=127.0.0.2:7000"}).ok());
}

TEST(Settings, VariablesInSmallLettersAreNamed) {
  EXPECT_THAT(
      Complaint({}, {{"ferrite_max_memory", "1GiB"}}),
      AllOf(HasSubstr("'ferrite_max_memory'"), HasSubstr("did you mean FERRITE_MAX_MEMORY?")));
}

TEST(Contradictions, AnAddressIsNamedOnce) {
  EXPECT_EQ(Complaint({"--listen=127.0.0.1:7000,127.0.0.1:7000"}),
            "--listen: 127.0.0.1:7000 is there twice");
  EXPECT_THAT(Complaint({"--http-listen=unix:/a", "--http-listen=unix:/a"}),
              HasSubstr("--http-listen: unix:/a is there twice"));
  EXPECT_TRUE(Load({"--listen=127.0.0.1:0,127.0.0.1:0"}).ok()) << "two ports that are free";
}

TEST(Contradictions, WhatGrpcMayHoldIsInThePlan) {
  const auto settings = Load({"--max-memory=0", "--request-window-bytes=4KiB"});
  ASSERT_TRUE(settings.ok()) << settings.status();
  uint64_t of_grpc = 0;
  for (const MemoryUse& use : MemoryPlan(*settings)) {
    if (use.what == "requests on their way" || use.what == "max-inflight-bytes" ||
        use.what == "max-connections" || use.what == "max-streams") {
      of_grpc += use.bytes;
    }
  }
  EXPECT_EQ(of_grpc, GrpcBytes(*settings));
}

TEST(Contradictions, ThreadsNeedMemory) {
  EXPECT_THAT(Complaint({"--threads=100"}, {}, MachineOf(256 * kMiB, 1)),
              HasSubstr("--threads: 100 threads and the program need all of the 256MiB of a test"));
}

TEST(Contradictions, MoreThanThereIsIsWarnedOf) {
  const auto settings = Load({"--max-memory=4GiB"});
  ASSERT_TRUE(settings.ok()) << settings.status();
  ASSERT_EQ(settings->warnings.size(), 1u);
  EXPECT_THAT(settings->warnings[0],
              AllOf(HasSubstr("but there are 4GiB of a test: "), HasSubstr("max-memory 4.40GiB")));
  EXPECT_THAT(Load({"--max-connections=1000000"})->warnings,
              testing::ElementsAre(HasSubstr("max-connections 16.21GiB")));
  EXPECT_THAT(Load({"--max-memory=0"})->warnings,
              testing::ElementsAre(HasSubstr("max-memory is 0")));
}

TEST(Contradictions, EventsThatFitNowhereAreWarnedOf) {
  EXPECT_THAT(Load({"--history-bytes=64KiB"})->warnings,
              testing::ElementsAre(HasSubstr("--history-bytes (64KiB) have no room")));
}

TEST(Settings, WhatIsInForceIsTold) {
  const auto settings = Load({"--max-memory=1.5GiB", "--shutdown-grace=90s"});
  ASSERT_TRUE(settings.ok()) << settings.status();
  const auto in_force = InForce(*settings);
  EXPECT_EQ(in_force.at("max-memory"), "1610612736");
  EXPECT_EQ(in_force.at("shutdown-grace"), "1m30s");
  EXPECT_EQ(in_force.at("threads"), "4");
  EXPECT_EQ(in_force.at("max-connections"), "9753");
  EXPECT_EQ(in_force.at("eviction"), "s3-fifo");
  for (const Flag& flag : AllFlags()) EXPECT_TRUE(in_force.contains(std::string(flag.name)));
}

TEST(Settings, HelpNamesEveryFlagAndEveryUnit) {
  const std::string help = FlagHelp();
  for (const Flag& flag : AllFlags()) EXPECT_THAT(help, HasSubstr(FlagName(flag.name) + " "));
  EXPECT_THAT(help, HasSubstr("each 1024 times the one before"));
  EXPECT_THAT(help, HasSubstr("less 16 MiB for the program, 16 MiB for requests on their way,"));
}

}  // namespace
}  // namespace ferrite
