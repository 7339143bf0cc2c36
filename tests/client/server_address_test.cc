#include "client/cli/server_address.h"

#include <gtest/gtest.h>

namespace ferrite::cli {
namespace {

TEST(ServerAddressTest, WhatAServerListensOnCanBeCalled) {
  for (const char* every : {"*:6380", ":6380", "0.0.0.0:6380", "[::]:6380"}) {
    EXPECT_EQ(CallableAddresses(every), "localhost:6380");
  }
  for (const char* one : {"10.0.0.1:6380", "[::1]:6380", "unix:/run/ferrite.sock", "cache"}) {
    EXPECT_EQ(CallableAddresses(one), one);
  }
}

TEST(ServerAddressTest, SeveralAreTriedInTurn) {
  const std::string addresses = CallableAddresses("10.0.0.1:1,*:2,unix:/a");
  EXPECT_EQ(addresses, "10.0.0.1:1,localhost:2,unix:/a");
  EXPECT_EQ(SplitAddresses(addresses),
            (std::vector<std::string>{"10.0.0.1:1", "localhost:2", "unix:/a"}));
}

TEST(ServerAddressTest, IfNoneIsReachedTheFirstIsNamed) {
  EXPECT_EQ(FirstReachable({"unix:/absent/1", "unix:/absent/2"}, {}, absl::Milliseconds(10)),
            "unix:/absent/1");
}

}  // namespace
}  // namespace ferrite::cli
