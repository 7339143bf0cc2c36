#include "server/guard/self_test.h"

#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "base/descriptor.h"
#include "base/error_text.h"

namespace ferrite {
namespace {

using namespace std::string_view_literals;

constexpr int kRounds = 2;

constexpr std::string_view kSettings = "\0\0\0\4\0\0\0\0\0"sv;
constexpr std::string_view kAck = "\0\0\0\4\1\0\0\0\0"sv;
// Of a stream that never was, which gRPC ignores.
constexpr std::string_view kReset = "\0\0\4\3\0\0\0\0\1\0\0\0\10"sv;

absl::Status Unseen(std::string_view what) {
  return absl::UnavailableError(absl::StrCat(
      "the frame guard does not work with this build of gRPC: ", std::string(what),
      "; --frame-guard=warn serves without it, at the mercy of clients that flood it with frames"));
}

// Waits until SETTINGS are acknowledged, and forgets what came by then.
bool AwaitAck(TestPeer* peer, std::string* received) {
  size_t ack;
  while ((ack = received->find(kAck)) == std::string::npos) {
    if (!peer->Receive(received)) return false;
  }
  received->erase(0, ack + kAck.size());
  return true;
}

}  // namespace

absl::Status TestGuard(FrameGuard* guard, const TestedWay& way) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
    return absl::ResourceExhaustedError(
        absl::StrCat("cannot test the frame guard: ", ErrorText(errno)));
  }
  const Descriptor client(ends[0]);
  const int served = ends[1];
  if (!guard->Watch(served, way.over_tls)) return Unseen("it has no place for a descriptor");
  way.handoff(served);
  const std::unique_ptr<TestPeer> peer = way.connect(client.get());
  std::string received;
  std::string frames = absl::StrCat("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", std::string(kSettings));
  for (int64_t round = 0; round < kRounds; ++round) {
    if (!peer->Send(frames) || !AwaitAck(peer.get(), &received))
      return Unseen("the server does not answer its first connection");
    if (guard->FramesOf(served)[static_cast<size_t>(CutReason::kResets)] != round)
      return Unseen("it does not see what is read");
    frames = absl::StrCat(std::string(kReset), std::string(kSettings));
  }
  if (!guard->CanWake(served)) return Unseen("it does not see what gRPC waits for");
  shutdown(client.get(), SHUT_WR);
  while (peer->Receive(&received)) {
  }
  if (!guard->AwaitForgotten(served, std::chrono::milliseconds(TestPeer::kLongestMs)))
    return Unseen("it does not see what is closed");
  return absl::OkStatus();
}

}  // namespace ferrite
