#include "server/net/listener.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>

namespace ferrite {
namespace {

class ListenerTest : public testing::Test {
 protected:
  ~ListenerTest() override {
    listener_.Stop();
    for (const int descriptor : accepted_) close(descriptor);
  }
  void Start(size_t max_connections) {
    ASSERT_TRUE(listener_.Bind({"127.0.0.1", 0}).ok());
    listener_.Start(max_connections, [this](int, int descriptor) {
      std::lock_guard lock(mutex_);
      accepted_.push_back(descriptor);
      changed_.notify_all();
    });
  }
  int Connect() {
    const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(listener_.address().port));
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    EXPECT_EQ(connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    return descriptor;
  }
  void WaitForAccepted(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return accepted_.size() >= count; });
  }
  // Whether the peer has closed the connection; waits until it has, or has sent a byte.
  static bool ClosedByPeer(int descriptor) {
    char byte;
    return recv(descriptor, &byte, 1, 0) <= 0;
  }

  Listener listener_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<int> accepted_;
};

TEST_F(ListenerTest, HandsConnectionsOver) {
  Start(10);
  const int client = Connect();
  WaitForAccepted(1);
  EXPECT_EQ(write(accepted_[0], "x", 1), 1);
  EXPECT_FALSE(ClosedByPeer(client));
  EXPECT_EQ(listener_.counts().open, 1u);
  close(client);
}

TEST_F(ListenerTest, TurnsAwayWhatIsOverTheLimitAndAcceptsAgainOnceThereIsRoom) {
  Start(2);
  const int first = Connect();
  const int second = Connect();
  WaitForAccepted(2);
  const int third = Connect();
  EXPECT_TRUE(ClosedByPeer(third));
  EXPECT_EQ(listener_.counts().rejected_over_limit, 1u);
  {
    // Whoever was handed the connection closes it, and the number goes to another file.
    std::lock_guard lock(mutex_);
    close(accepted_.back());
    accepted_.pop_back();
  }
  EXPECT_EQ(listener_.counts().open, 1u);
  const int fourth = Connect();
  WaitForAccepted(2);
  EXPECT_EQ(listener_.counts().open, 2u);
  for (const int client : {first, second, third, fourth}) close(client);
}

TEST_F(ListenerTest, APortHasOneListener) {
  Start(10);
  Listener second;
  const absl::Status status = second.Bind(listener_.address());
  EXPECT_THAT(std::string(status.message()),
              testing::HasSubstr("cannot listen on " + listener_.address().ToString()));
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("in use"));
}

TEST_F(ListenerTest, AHostThatIsNotThereIsNamed) {
  const absl::Status status = listener_.Bind({"no-such-host.invalid", 1});
  EXPECT_THAT(std::string(status.message()),
              testing::HasSubstr("cannot resolve no-such-host.invalid"));
}

}  // namespace
}  // namespace ferrite
