#include "server/guard/self_test.h"

#include <poll.h>
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

// An answer takes less than a millisecond.
constexpr int kLongestMs = 10'000;
constexpr int kMostRounds = 100;

constexpr std::string_view kSettings = "\0\0\0\4\0\0\0\0\0"sv;
constexpr std::string_view kAck = "\0\0\0\4\1\0\0\0\0"sv;
// Of a stream that never was, which gRPC ignores.
constexpr std::string_view kReset = "\0\0\4\3\0\0\0\0\1\0\0\0\10"sv;

absl::Status Unseen(std::string_view what) {
  return absl::UnavailableError(absl::StrCat(
      "the frame guard does not work with this build of gRPC: ", std::string(what),
      "; --frame-guard=warn serves without it, at the mercy of clients that flood it with frames"));
}

// Whether all of it could be sent.
bool Send(int descriptor, std::string_view bytes) {
  return send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(bytes.size());
}

// Appends what comes next. False at the end of the connection, or when nothing comes.
bool Receive(int descriptor, std::string* bytes) {
  pollfd waiting{descriptor, POLLIN, 0};
  int ready = 0;
  do {
    ready = poll(&waiting, 1, kLongestMs);
  } while (ready < 0 && errno == EINTR);
  if (ready <= 0) return false;
  char piece[512];
  const ssize_t size = recv(descriptor, piece, sizeof(piece), 0);
  if (size <= 0) return false;
  bytes->append(piece, static_cast<size_t>(size));
  return true;
}

// Waits until SETTINGS are acknowledged, and forgets what came by then.
bool AwaitAck(int descriptor, std::string* received) {
  size_t ack;
  while ((ack = received->find(kAck)) == std::string::npos) {
    if (!Receive(descriptor, received)) return false;
  }
  received->erase(0, ack + kAck.size());
  return true;
}

}  // namespace

absl::Status TestGuard(FrameGuard* guard, const std::function<void(int descriptor)>& handoff) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
    return absl::ResourceExhaustedError(
        absl::StrCat("cannot test the frame guard: ", ErrorText(errno)));
  }
  const Descriptor client(ends[0]);
  const int served = ends[1];
  if (!guard->Watch(served)) return Unseen("it has no place for a descriptor");
  handoff(served);
  std::string received;
  std::string frames = absl::StrCat("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", std::string(kSettings));
  uint64_t turns = 0;
  for (int64_t round = 0; round < kMostRounds; ++round) {
    if (!Send(client.get(), frames) || !AwaitAck(client.get(), &received))
      return Unseen("the server does not answer its first connection");
    if (guard->FramesOf(served)[static_cast<size_t>(CutReason::kResets)] != round)
      return Unseen("it does not see what is read");
    if (!guard->CanWake(served)) return Unseen("it does not see what gRPC waits for");
    // Whoever reads has to wait for something to read, now and then.
    if (round == 0) turns = guard->TurnsOf(served);
    if (guard->TurnsOf(served) != turns) break;
    frames = absl::StrCat(std::string(kReset), std::string(kSettings));
  }
  if (guard->TurnsOf(served) == turns) return Unseen("it does not see when gRPC waits");
  shutdown(client.get(), SHUT_WR);
  while (Receive(client.get(), &received)) {
  }
  if (!guard->AwaitForgotten(served, std::chrono::milliseconds(kLongestMs)))
    return Unseen("it does not see what is closed");
  return absl::OkStatus();
}

}  // namespace ferrite
