#include "server/cluster/node_record.h"

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

}  // namespace
}  // namespace ferrite::cluster
