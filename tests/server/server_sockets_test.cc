#include "server/net/server_sockets.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "server/net/tcp_targets.h"
#include "tests/server/system_faults.h"

namespace ferrite {
namespace {

using testing::HasSubstr;

// Whether somebody listens there.
bool Listens(const sockaddr* address, socklen_t size) {
  const int descriptor = socket(address->sa_family, SOCK_STREAM, 0);
  const bool listens = connect(descriptor, address, size) == 0;
  close(descriptor);
  return listens;
}
bool ListensV4(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return Listens(reinterpret_cast<sockaddr*>(&address), sizeof(address));
}
bool ListensV6(int port) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(static_cast<uint16_t>(port));
  address.sin6_addr = in6addr_loopback;
  return Listens(reinterpret_cast<sockaddr*>(&address), sizeof(address));
}
bool ListensOnPath(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  return Listens(reinterpret_cast<sockaddr*>(&address), sizeof(address));
}

absl::Status Listen(ServerSockets* sockets, const std::string& addresses, mode_t mode = 0660) {
  return sockets->Listen(*ParseAddresses(addresses), mode);
}
std::string Complaint(const std::string& addresses) {
  ServerSockets sockets;
  return std::string(Listen(&sockets, addresses).message());
}

class ServerSocketsTest : public testing::Test {
 protected:
  ServerSocketsTest() {
    std::string name = testing::TempDir() + "/socketsXXXXXX";
    directory_ = mkdtemp(name.data());
    path_ = directory_ + "/f.sock";
  }
  ~ServerSocketsTest() override { std::filesystem::remove_all(directory_); }

  int port() const { return sockets_.addresses().front().port; }

  ServerSockets sockets_;
  std::string directory_;
  std::string path_;
};

class EveryAddressTest : public ServerSocketsTest,
                         public testing::WithParamInterface<const char*> {};

TEST_P(EveryAddressTest, ServesBothFamilies) {
  ASSERT_TRUE(Listen(&sockets_, GetParam()).ok());
  EXPECT_TRUE(ListensV4(port()));
  EXPECT_EQ(ListensV6(sockets_.addresses().back().port), HasIpv6());
}

INSTANTIATE_TEST_SUITE_P(Spellings, EveryAddressTest,
                         testing::Values("[::]:0", "*:0", ":0", "0.0.0.0:0,[::]:0"));

// A kernel that was booted without IPv6 knows no such sockets.
TEST_P(EveryAddressTest, ServesV4WhereTheKernelHasNoV6) {
  InjectFaults({SystemCall::kV6Socket, EAFNOSUPPORT});
  const absl::Status status = Listen(&sockets_, GetParam());
  StopFaults();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(ListensV4(port()));
}

TEST_F(ServerSocketsTest, WhatIsOnlyV6NeedsV6) {
  InjectFaults({SystemCall::kV6Socket, EAFNOSUPPORT});
  EXPECT_TRUE(Listen(&sockets_, "localhost:0").ok());
  EXPECT_TRUE(ListensV4(port()));
  EXPECT_THAT(Complaint("[::1]:0"), HasSubstr("cannot listen on [::1]:0: "));
  ServerSockets v4;
  EXPECT_TRUE(Listen(&v4, "127.0.0.1:0,[::1]:0").ok()) << "as long as another is there";
  StopFaults();
}

TEST_F(ServerSocketsTest, V6StandsBesideTheV4ThatIsListed) {
  if (!HasIpv6()) GTEST_SKIP() << "this machine has no IPv6";
  ASSERT_TRUE(Listen(&sockets_, "[::1]:0").ok());
  EXPECT_TRUE(ListensV6(port()));
  EXPECT_FALSE(ListensV4(port()));
  const std::string taken = std::to_string(port());
  sockets_.Close();
  ServerSockets both;
  const absl::Status status = Listen(&both, "127.0.0.1:" + taken + ",[::]:" + taken);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(ListensV4(both.addresses().front().port));
  EXPECT_TRUE(ListensV6(both.addresses().front().port));
  EXPECT_EQ(both.descriptors().size(), 2u);
}

TEST_F(ServerSocketsTest, APortHasOneListener) {
  ASSERT_TRUE(Listen(&sockets_, "127.0.0.1:0").ok());
  const std::string taken = std::to_string(port());
  for (const char* host : {"127.0.0.1:", "*:", "[::]:", "localhost:", "0.0.0.0:"}) {
    const std::string address = host + taken;
    EXPECT_THAT(Complaint(address), HasSubstr("cannot listen on "));
    EXPECT_THAT(Complaint(address), HasSubstr("in use"));
  }
}

TEST_F(ServerSocketsTest, NamesWhatIsNotThere) {
  EXPECT_THAT(Complaint("no-such-host.invalid:1"),
              HasSubstr("cannot resolve no-such-host.invalid"));
  // Reserved for documentation.
  EXPECT_THAT(Complaint("192.0.2.1:1"), HasSubstr("cannot listen on 192.0.2.1:1: "));
  EXPECT_THAT(Complaint("127.0.0.1:0,192.0.2.1:1"), HasSubstr("cannot listen on 192.0.2.1:1: "));
  EXPECT_THAT(Complaint("unix:" + directory_ + "/none/f"), HasSubstr("No such file"));
}

TEST_F(ServerSocketsTest, AUnixSocketHasThePermissionsAskedForAndIsRemoved) {
  for (const mode_t mode : {0600, 0660, 0777}) {
    ServerSockets sockets;
    ASSERT_TRUE(Listen(&sockets, "unix:" + path_, mode).ok());
    EXPECT_TRUE(ListensOnPath(path_));
    struct stat status;
    ASSERT_EQ(stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777u, mode);
    sockets.Close();
    EXPECT_FALSE(std::filesystem::exists(path_));
  }
}

TEST_F(ServerSocketsTest, AStaleUnixSocketIsReplacedAndOneInUseIsNot) {
  ASSERT_TRUE(Listen(&sockets_, "unix:" + path_).ok());
  EXPECT_THAT(Complaint("unix:" + path_), HasSubstr("another process listens there"));
  EXPECT_TRUE(ListensOnPath(path_)) << "the refused one leaves the file alone";
  // As a process leaves it that was killed.
  std::filesystem::create_hard_link(path_, directory_ + "/kept");
  sockets_.Close();
  std::filesystem::rename(directory_ + "/kept", path_);
  EXPECT_FALSE(ListensOnPath(path_));
  ServerSockets next;
  ASSERT_TRUE(Listen(&next, "unix:" + path_).ok());
  EXPECT_TRUE(ListensOnPath(path_));
}

TEST_F(ServerSocketsTest, AFileThatIsNoSocketIsLeftAlone) {
  std::ofstream(path_) << "precious";
  EXPECT_THAT(Complaint("unix:" + path_), HasSubstr("no socket"));
  EXPECT_EQ(std::filesystem::file_size(path_), 8u);
}

TEST_F(ServerSocketsTest, TheFileOfASuccessorIsNotRemoved) {
  ASSERT_TRUE(Listen(&sockets_, "unix:" + path_).ok());
  std::filesystem::remove(path_);
  ServerSockets successor;
  ASSERT_TRUE(Listen(&successor, "unix:" + path_).ok());
  sockets_.Close();
  EXPECT_TRUE(ListensOnPath(path_));
}

TEST_F(ServerSocketsTest, AbstractNamesAreServed) {
  const std::string name = "unix-abstract:ferrite-test-" + std::to_string(getpid());
  ASSERT_TRUE(Listen(&sockets_, name).ok());
  EXPECT_THAT(Complaint(name), HasSubstr("in use"));
}

}  // namespace
}  // namespace ferrite
