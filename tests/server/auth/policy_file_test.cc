// When the policy in a file takes the place of the one in force.

#include "server/auth/policy_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace ferrite {
namespace {

constexpr char kPolicy[] =
    "roles: [{name: r, key_prefixes: [a], verbs: [read]}]\n"
    "bindings: [{principal: anonymous, roles: [r]}]\n";
constexpr char kOther[] =
    "roles: [{name: r, key_prefixes: [b], verbs: [read]}]\n"
    "bindings: [{principal: anonymous, roles: [r]}]\n";

class PolicyFileTest : public testing::Test {
 protected:
  PolicyFileTest() {
    Write(kPolicy);
    EXPECT_TRUE(file_.Load().ok());
  }
  ~PolicyFileTest() override { std::filesystem::remove_all(folder_); }

  // As careful programs do, so that each is another file.
  void Write(const std::string& text) {
    std::filesystem::create_directories(folder_);
    std::ofstream(path_ + ".new") << text;
    std::filesystem::rename(path_ + ".new", path_);
  }

  const std::string folder_ = testing::TempDir() + "policy_" + std::to_string(getpid());
  const std::string path_ = folder_ + "/policy.yaml";
  PublishedPolicy published_;
  int changes_ = 0;
  PolicyFile file_{path_, &published_, [this] { ++changes_; }};
};

TEST_F(PolicyFileTest, TheFirstOneIsNoChange) {
  EXPECT_EQ(changes_, 0);
  EXPECT_EQ(file_.counts().loaded, 1u);
  EXPECT_TRUE(published_.Now()->policy().Binds("anonymous"));
}

TEST_F(PolicyFileTest, AnotherOneIsTold) {
  Write(kOther);
  file_.LookOnce();
  EXPECT_EQ(changes_, 1);
  EXPECT_TRUE(published_.Now()->policy().RightsOf("anonymous").MayOnKey(policy::Verb::kRead, "b"));
}

// Each once woke all streams, and threw away all rights and tokens that were known.
TEST_F(PolicyFileTest, OneThatSaysTheSameIsNoChange) {
  const uint64_t number = published_.Now()->number();
  for (const char* comment : {"# one\n", "# two\n"}) {
    Write(std::string(comment) + kPolicy);
    file_.LookOnce();
  }
  EXPECT_EQ(file_.counts().loaded, 3u);
  EXPECT_EQ(changes_, 0);
  EXPECT_EQ(published_.Now()->number(), number);
}

TEST_F(PolicyFileTest, WhatIsAsBeforeARefusalIsInForce) {
  Write("roles: {}");
  file_.LookOnce();
  EXPECT_FALSE(file_.counts().in_force);
  Write(kPolicy);
  file_.LookOnce();
  EXPECT_TRUE(file_.counts().in_force);
  EXPECT_EQ(changes_, 0);
}

}  // namespace
}  // namespace ferrite
