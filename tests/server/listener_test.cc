#include "server/net/listener.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <string>

#include "tests/server/system_faults.h"

namespace ferrite {
namespace {

DoorPolicy TestPolicy() {
  return {.answers = {}, .refusal = absl::ResourceExhaustedError("full"), .pushback = [] {
            return std::chrono::milliseconds(1);
          }};
}

class ListenerTest : public testing::Test {
 protected:
  ~ListenerTest() override {
    listener_.Stop();
    for (const int descriptor : accepted_) close(descriptor);
  }
  void Start(size_t max_connections) {
    ASSERT_TRUE(listener_.Bind({{"127.0.0.1", 0}}).ok());
    const absl::Status status =
        listener_.Start({max_connections}, TestPolicy(), [this](int, int descriptor) {
          std::lock_guard lock(mutex_);
          accepted_.push_back(descriptor);
          changed_.notify_all();
        });
    ASSERT_TRUE(status.ok()) << status;
  }
  int Connect() {
    const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(listener_.addresses().front().port));
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
  EXPECT_EQ(write(third, "not HTTP/2, as it should be: a preface of 24 bytes", 50), 50);
  while (!ClosedByPeer(third)) continue;
  EXPECT_EQ(listener_.counts().over_limit, 1u);
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

// What goes wrong with the system's calls must not end the loop, whatever it is.
class FaultyListenerTest : public ListenerTest, public testing::WithParamInterface<Fault> {
 protected:
  ~FaultyListenerTest() override { StopFaults(); }
};

TEST_P(FaultyListenerTest, AcceptsAgainWhenTheFaultIsOver) {
  InjectFaults(GetParam());
  Start(10);
  const int client = Connect();
  AwaitFaults();
  StopFaults();
  // The first one may have been turned away, if there was no descriptor for it.
  const int later = Connect();
  WaitForAccepted(1);
  close(client);
  close(later);
}

INSTANTIATE_TEST_SUITE_P(
    EveryFault, FaultyListenerTest,
    testing::Values(Fault{SystemCall::kPoll, EINTR}, Fault{SystemCall::kPoll, ENOMEM},
                    Fault{SystemCall::kPoll, EINVAL}, Fault{SystemCall::kPoll, EFAULT},
                    Fault{SystemCall::kAccept, EINTR}, Fault{SystemCall::kAccept, ENOBUFS},
                    Fault{SystemCall::kAccept, ENOMEM}, Fault{SystemCall::kAccept, EPERM},
                    Fault{SystemCall::kAccept, ECONNABORTED}, Fault{SystemCall::kAccept, EPROTO},
                    Fault{SystemCall::kAccept, ENETDOWN}, Fault{SystemCall::kAccept, EMFILE},
                    Fault{SystemCall::kAccept, ENFILE}, Fault{SystemCall::kAccept, EOPNOTSUPP}),
    [](const auto& info) {
      const bool poll = info.param.call == SystemCall::kPoll;
      return std::string(poll ? "poll_" : "accept_") + strerrorname_np(info.param.error);
    });

TEST_F(ListenerTest, WhoWaitsForADescriptorIsNotCountedAsRefused) {
  InjectFaults({SystemCall::kAccept, EMFILE});
  Start(10);
  const int client = Connect();
  AwaitFaults();
  EXPECT_EQ(listener_.counts().over_descriptors, 0u);
  StopFaults();
  close(client);
}

TEST_F(ListenerTest, WithoutAnEventDescriptorItSaysSo) {
  ASSERT_TRUE(listener_.Bind({{"127.0.0.1", 0}}).ok());
  InjectFaults({SystemCall::kEventFd, EMFILE});
  const absl::Status status = listener_.Start({1}, TestPolicy(), [](int, int) {});
  StopFaults();
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("eventfd: Too many open files"));
}

TEST_F(ListenerTest, WithoutAThreadItSaysSo) {
  ASSERT_TRUE(listener_.Bind({{"127.0.0.1", 0}}).ok());
  InjectFaults({SystemCall::kThread, EAGAIN});
  const absl::Status status = listener_.Start({1}, TestPolicy(), [](int, int) {});
  StopFaults();
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("cannot start a thread"));
}

TEST_F(ListenerTest, CountsWhatTheSystemDidNotHandOver) {
  InjectFaults({SystemCall::kAccept, ENOBUFS});
  Start(10);
  const int client = Connect();
  AwaitFaults();
  StopFaults();
  WaitForAccepted(1);
  EXPECT_GE(listener_.counts().accept_errors, 1u);
  close(client);
}

}  // namespace
}  // namespace ferrite
