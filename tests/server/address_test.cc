#include "server/net/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ferrite {
namespace {

using testing::HasSubstr;

std::string Complaint(const std::string& text) {
  return std::string(ParseAddresses(text).status().message());
}

TEST(Address, ReadsHostsAndPorts) {
  EXPECT_EQ(ParseAddress("127.0.0.1:6380")->port, 6380);
  EXPECT_EQ(ParseAddress("[::1]:0")->host, "::1");
  EXPECT_EQ(ParseAddress("[::1]:80")->ToString(), "[::1]:80");
  EXPECT_EQ(ParseAddress("*:80")->ToString(), "*:80");
  EXPECT_EQ(ParseAddress(":80")->ToString(), "*:80");
  EXPECT_TRUE(ParseAddress(":80")->IsEveryAddress());
  EXPECT_TRUE(ParseAddress("[::]:80")->IsEveryAddress());
  EXPECT_FALSE(ParseAddress("0.0.0.0:80")->IsEveryAddress());
}

TEST(Address, ReadsUnixDomainSockets) {
  for (const char* text : {"unix:/run/f.sock", "unix:///run/f.sock"}) {
    EXPECT_EQ(ParseAddress(text)->host, "/run/f.sock");
    EXPECT_EQ(ParseAddress(text)->kind, Address::Kind::kUnix);
    EXPECT_EQ(ParseAddress(text)->ToString(), "unix:/run/f.sock");
  }
  EXPECT_EQ(ParseAddress("unix:f.sock")->host, "f.sock");
  EXPECT_EQ(ParseAddress("unix-abstract:f")->ToString(), "unix-abstract:f");
  EXPECT_EQ(ParseAddress("unix-abstract:f")->kind, Address::Kind::kAbstract);
}

TEST(Address, SaysWhatIsAllowed) {
  for (const char* bad : {"", "localhost", "localhost:", "localhost:port", "localhost:65536",
                          "localhost:-1", "localhost: 1", "localhost:+1", "localhost:1x"}) {
    EXPECT_THAT(Complaint(bad), HasSubstr("port from 0 to 65535")) << bad;
  }
  for (const char* unclear : {"::1:6380", "2001:db8::1", "[::1:80", "[]:80", "a]:1"})
    EXPECT_THAT(Complaint(unclear), HasSubstr("stands in brackets")) << unclear;
  EXPECT_THAT(Complaint("[fe80::1]:80"), HasSubstr("needs a zone"));
  EXPECT_TRUE(ParseAddress("[fe80::1%eth0]:80").ok());
  EXPECT_THAT(Complaint("unix:"), HasSubstr("names no path"));
  EXPECT_THAT(Complaint("unix://host/path"), HasSubstr("unix:///PATH"));
  EXPECT_THAT(Complaint("unix-abstract:"), HasSubstr("names no socket"));
  EXPECT_THAT(Complaint("unix:/" + std::string(107, 'x')),
              HasSubstr("108 bytes, and the limit of the system is 107"));
  EXPECT_TRUE(ParseAddress("unix:/" + std::string(106, 'x')).ok());
}

TEST(Address, ReadsLists) {
  EXPECT_EQ(ToString(*ParseAddresses("127.0.0.1:1, [::1]:2,unix:x")), "127.0.0.1:1,[::1]:2,unix:x");
  EXPECT_THAT(Complaint("127.0.0.1:1,"), HasSubstr("''"));
}

}  // namespace
}  // namespace ferrite
