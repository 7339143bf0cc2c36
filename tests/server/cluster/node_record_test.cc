#include "server/cluster/node_record.h"

#include <random>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/cluster/keys.h"

namespace ferrite::cluster {
namespace {

using internal::v1::ControllerRecord;
using internal::v1::NodeRecord;
using internal::v1::VersionCeiling;
using ::testing::HasSubstr;

NodeRecord Record() {
  NodeRecord record;
  record.set_node_id("n-1");
  record.set_boot_id(5);
  record.set_address("10.0.0.1:6380");
  record.set_zone("west");
  return record;
}

// With a few changes.
std::string Spoilt(std::string bytes, std::mt19937_64* random) {
  for (uint64_t change = 0; change <= (*random)() % 3 && !bytes.empty(); ++change) {
    const size_t at = (*random)() % bytes.size();
    switch ((*random)() % 3) {
      case 0:
        bytes[at] = static_cast<char>((*random)());
        break;
      case 1:
        bytes.erase(at, 1 + (*random)() % 4);
        break;
      case 2:
        bytes.insert(at, 1, static_cast<char>((*random)()));
        break;
    }
  }
  return bytes;
}

TEST(Keys, LieUnderTheCluster) {
  const Keys keys("prod.eu");
  EXPECT_EQ(keys.map(), "/ferrite/prod.eu/map");
  EXPECT_EQ(keys.controller(), "/ferrite/prod.eu/controller");
  EXPECT_EQ(keys.Node("n-1"), "/ferrite/prod.eu/nodes/n-1");
  EXPECT_EQ(keys.Ceiling("n-1"), "/ferrite/prod.eu/ceilings/n-1");
  EXPECT_EQ(EndOfPrefix(keys.nodes()), "/ferrite/prod.eu/nodes0");
  EXPECT_LT(keys.Node("\xff"), EndOfPrefix(keys.nodes()));
}

TEST(Keys, NamesAreOfPlainLetters) {
  for (const char* name : {"a", "node-1.example", "A_b", "0"})
    EXPECT_TRUE(CheckName("--node-id", name).ok()) << name;
  EXPECT_TRUE(CheckName("--node-id", std::string(128, 'a')).ok());
  for (const std::string& name :
       {std::string(), std::string("a/b"), std::string("a b"), std::string("\xc3\xa4"),
        std::string("a\0b", 3), std::string("a\n"), std::string(129, 'a')}) {
    const absl::Status status = CheckName("--node-id", name);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_THAT(std::string(status.message()), HasSubstr("--node-id"));
    EXPECT_THAT(std::string(status.message()), HasSubstr("1 to 128"));
  }
  EXPECT_THAT(std::string(CheckName("x", "a\n").message()), HasSubstr("\"a\\n\""));
}

TEST(NodeRecord, WhatIsWrittenIsRead) {
  const auto read = ParseNodeRecord("n-1", Record().SerializeAsString());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->SerializeAsString(), Record().SerializeAsString());
}

TEST(NodeRecord, BrokenOnesAreRefusedWithAReason) {
  const auto refused = [](auto spoil, const char* reason) {
    NodeRecord record = Record();
    spoil(&record);
    const absl::Status status = ParseNodeRecord("n-1", record.SerializeAsString()).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << reason;
    EXPECT_THAT(std::string(status.message()), HasSubstr(reason));
    EXPECT_THAT(std::string(status.message()), HasSubstr("n-1"));
  };
  refused([](NodeRecord* record) { record->set_node_id("n-2"); }, "of node \"n-2\"");
  refused([](NodeRecord* record) { record->set_boot_id(0); }, "no boot id");
  refused([](NodeRecord* record) { record->clear_address(); }, "no address");
  refused([](NodeRecord* record) { record->set_address(std::string(513, 'a')); }, "may have 512");
  refused([](NodeRecord* record) { record->set_address("a\nb"); }, "\"a\\nb\"");
  refused([](NodeRecord* record) { record->set_internal_address("a b"); }, "internal address");
  refused([](NodeRecord* record) { record->set_zone(std::string(129, 'a')); }, "the zone");
  refused([](NodeRecord* record) { record->set_released_version(kMaxVersion + 1); }, "2200");
  EXPECT_FALSE(ParseNodeRecord("n-1", "\xff").ok());
  EXPECT_FALSE(ParseNodeRecord("n-1", std::string(5000, '\0')).ok());
}

TEST(NodeRecord, CeilingsAreCheckedToo) {
  VersionCeiling ceiling;
  ceiling.set_ceiling(1'700'000'000'000'000);
  ceiling.set_serving_ttl_ms(10'000);
  EXPECT_TRUE(ParseVersionCeiling("a", ceiling.SerializeAsString()).ok());
  ceiling.set_ceiling(kMaxVersion + 1);
  EXPECT_THAT(std::string(ParseVersionCeiling("a", ceiling.SerializeAsString()).status().message()),
              HasSubstr("2200"));
  ceiling.set_ceiling(1);
  for (const uint32_t ttl_ms : {0u, 1'999u, 60'001u, ~0u}) {
    ceiling.set_serving_ttl_ms(ttl_ms);
    EXPECT_THAT(
        std::string(ParseVersionCeiling("a", ceiling.SerializeAsString()).status().message()),
        HasSubstr("2000 to 60000"));
  }
  EXPECT_FALSE(ParseVersionCeiling("a", "").ok());
  EXPECT_FALSE(ParseVersionCeiling("a", "\xff").ok());

  ControllerRecord controller;
  EXPECT_FALSE(ParseControllerRecord("").ok());
  controller.set_node_id("a");
  controller.set_boot_id(3);
  EXPECT_TRUE(ParseControllerRecord(controller.SerializeAsString()).ok());
}

TEST(NodeRecord, GarbageNeverPasses) {
  // What passes can be told to others as it is, whatever was done to the bytes.
  std::mt19937_64 random(1);
  NodeRecord record = Record();
  record.set_internal_address("10.0.0.1:6379");
  record.set_version("0.1.0");
  record.set_released_version(12345);
  const std::string good = record.SerializeAsString();
  VersionCeiling ceiling;
  ceiling.set_ceiling(kMaxVersion / 2);
  ceiling.set_serving_ttl_ms(3000);
  const std::string good_ceiling = ceiling.SerializeAsString();
  int passed = 0;
  int passed_ceilings = 0;
  for (int round = 0; round < 20'000; ++round) {
    const auto spoilt = Spoilt(good, &random);
    if (const auto parsed = ParseNodeRecord("n-1", spoilt); parsed.ok()) {
      ++passed;
      ASSERT_TRUE(CheckNodeRecord(*parsed).ok());
      ASSERT_EQ(parsed->node_id(), "n-1");
      for (const std::string* text :
           {&parsed->address(), &parsed->internal_address(), &parsed->zone(), &parsed->version()}) {
        for (const char letter : *text) ASSERT_TRUE(letter > ' ' && letter <= '~');
      }
    } else {
      for (const char letter : std::string(parsed.status().message())) {
        ASSERT_TRUE(letter >= ' ' && letter <= '~') << parsed.status();
      }
    }
    if (const auto parsed = ParseVersionCeiling("n-1", Spoilt(good_ceiling, &random));
        parsed.ok()) {
      ++passed_ceilings;
      ASSERT_LE(parsed->ceiling(), kMaxVersion);
      ASSERT_GE(parsed->serving_ttl_ms(), kMinServingTtlMs);
      ASSERT_LE(parsed->serving_ttl_ms(), kMaxServingTtlMs);
    }
  }
  EXPECT_GT(passed, 0);
  EXPECT_GT(passed_ceilings, 0);
  // Nor does anything that has never been a record.
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes(random() % 64, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    EXPECT_FALSE(ParseNodeRecord("n-1", bytes).ok());
  }
}

}  // namespace
}  // namespace ferrite::cluster
