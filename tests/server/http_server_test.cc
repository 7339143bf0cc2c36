// What the system or the library does not do for the HTTP server. All else is tested from outside,
// by tests/e2e/test_http.py.

#include "server/net/http_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cerrno>
#include <thread>

#include "base/descriptor.h"
#include "tests/server/system_faults.h"

namespace ferrite {
namespace {

TEST(HttpServer, CountsWhatTheLibraryDoesNotTake) {
  HttpServer server([](const HttpRequest&) { return HttpReply{}; });
  ASSERT_TRUE(server.Start({{"127.0.0.1", 0}}, ServerSockets::kUnixMode).ok());
  InjectFaults({SystemCall::kEpollWatch, ENOSPC});
  const Descriptor client(socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(server.addresses().front().port));
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  EXPECT_EQ(connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  char byte;
  EXPECT_LE(recv(client.get(), &byte, 1, 0), 0) << "it is closed";
  while (server.not_taken() == 0) std::this_thread::yield();
  StopFaults();
  EXPECT_EQ(server.not_taken(), 1u);
}

TEST(HttpServer, SaysWhyItCannotStart) {
  HttpServer server([](const HttpRequest&) { return HttpReply{}; });
  InjectFaults({SystemCall::kEpollSet, EMFILE});
  const absl::Status status = server.Start({{"127.0.0.1", 0}}, ServerSockets::kUnixMode);
  StopFaults();
  EXPECT_EQ(status.message(), "the HTTP server cannot be started: Too many open files");
}

}  // namespace
}  // namespace ferrite
