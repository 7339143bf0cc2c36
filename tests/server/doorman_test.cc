// Guests at the door of a full server, through pairs of sockets. Everything runs on one thread.

#include "server/net/doorman.h"

#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <string>
#include <vector>

#include "base/descriptor.h"

namespace ferrite {
namespace {

using namespace std::string_literals;

constexpr uint8_t kData = 0, kHeaders = 1, kPing = 6;
constexpr uint8_t kAck = 1, kEndStream = 1, kEndHeaders = 4;

std::string Frame(uint8_t kind, uint8_t flags, uint8_t stream, const std::string& payload) {
  std::string frame;
  for (const int shift : {16, 8, 0}) frame += static_cast<char>(payload.size() >> shift);
  frame += {static_cast<char>(kind), static_cast<char>(flags), 0, 0, 0, static_cast<char>(stream)};
  return frame + payload;
}

// A header as HPACK writes one that is in no table.
std::string Literal(const std::string& name, const std::string& value) {
  return "\0"s + static_cast<char>(name.size()) + name + static_cast<char>(value.size()) + value;
}

const std::string kHello = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + Frame(4, 0, 0, "");

std::string CallOn(const std::string& path) {
  return Frame(kHeaders, kEndHeaders, 1,
               Literal(":method", "POST") + Literal(":scheme", "http") + Literal(":path", path) +
                   Literal(":authority", "a")) +
         Frame(kData, kEndStream, 1, std::string(5, '\0'));
}

class DoorTest : public testing::Test {
 protected:
  // A client; its other end goes to the server, which takes it over.
  class Client {
   public:
    Client() {
      std::array<int, 2> ends;
      EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
      mine_ = Descriptor(ends[0]);
      theirs = ends[1];
    }
    // Returns how much of it found room.
    size_t Send(std::string_view bytes) const {
      const ssize_t sent = send(mine_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      return sent < 0 ? 0 : static_cast<size_t>(sent);
    }
    // What has come since; notes the end.
    std::string Read() {
      std::string read;
      char bytes[4096];
      ssize_t size;
      while ((size = recv(mine_.get(), bytes, sizeof(bytes), 0)) > 0)
        read.append(bytes, static_cast<size_t>(size));
      over = over || size == 0 || errno == ECONNRESET;
      return read;
    }

    int theirs;
    bool over = false;

   private:
    Descriptor mine_;
  };

  DoorPolicy Policy() {
    return {.answers = {{"/probe",
                         [](std::string_view) -> absl::StatusOr<std::string> { return "served"; }}},
            .refusal = absl::ResourceExhaustedError("full"),
            .pushback = [] { return std::chrono::milliseconds(1); }};
  }
};

class DoorGuestTest : public DoorTest {
 protected:
  // As the doorman does.
  bool Serve() { return !(guest_.wants_input() || guest_.has_output()) || guest_.Advance(); }

  const DoorPolicy policy_ = Policy();
  Client client_;
  DoorGuest guest_{client_.theirs, &policy_};
};

TEST_F(DoorGuestTest, AProbeIsAnswered) {
  client_.Send(kHello + CallOn("/probe"));
  EXPECT_TRUE(Serve());
  EXPECT_TRUE(guest_.answered());
  EXPECT_FALSE(guest_.refused());
  EXPECT_NE(client_.Read().find("served"), std::string::npos);
}

TEST_F(DoorGuestTest, AnyOtherCallIsRefused) {
  client_.Send(kHello + CallOn("/other"));
  EXPECT_TRUE(Serve());
  EXPECT_TRUE(guest_.refused());
  EXPECT_FALSE(guest_.answered());
}

// Hands over a byte at a time, as TLS does where each record has one.
class TricklingWire final : public GuestWire {
 public:
  explicit TricklingWire(int descriptor) : plain_(descriptor) {}
  ssize_t Receive(void* bytes, size_t) override { return plain_.Receive(bytes, 1); }
  ssize_t Send(const void* bytes, size_t size) override { return plain_.Send(bytes, size); }
  Wait wait() const override { return Wait::kNothing; }

 private:
  PlainGuestWire plain_;
};

// What is left unread when a connection is closed takes back what was written last.
TEST_F(DoorGuestTest, NothingIsLeftUnreadOfWhoIsDismissed) {
  DoorPolicy policy = Policy();
  policy.wire = [](int descriptor) { return std::make_unique<TricklingWire>(descriptor); };
  Client client;
  DoorGuest guest(client.theirs, &policy);
  client.Send(kHello + CallOn("/other"));
  guest.Dismiss();
  int unread = -1;
  EXPECT_EQ(ioctl(client.theirs, FIONREAD, &unread), 0);
  EXPECT_EQ(unread, 0);
  EXPECT_NE(client.Read().find("full"), std::string::npos) << "it is told why";
}

// Who does not read is not read either, and loses nothing.
TEST_F(DoorGuestTest, ReadsNothingWhileAsMuchWaitsToBeWrittenAsMay) {
  constexpr size_t kPings = 100'000;
  std::string sent = kHello;
  for (size_t i = 0; i < kPings; ++i) sent += Frame(kPing, 0, 0, "12345678");
  size_t at = 0;
  bool stopped = false;
  std::string read;
  const std::string acknowledged = Frame(kPing, kAck, 0, "12345678");
  size_t acknowledgements = 0;
  while (acknowledgements < kPings) {
    const size_t more = client_.Send(std::string_view(sent).substr(at));
    at += more;
    ASSERT_TRUE(Serve());
    stopped = stopped || !guest_.wants_input();
    // The client reads when it cannot write.
    if (more == 0 && (stopped || at == sent.size())) {
      read += client_.Read();
      size_t from = 0;
      for (size_t found; (found = read.find(acknowledged, from)) != std::string::npos;
           from = found + acknowledged.size())
        ++acknowledgements;
      read.erase(0, from);
    }
  }
  EXPECT_TRUE(stopped);
  EXPECT_EQ(acknowledgements, kPings);
}

TEST_F(DoorGuestTest, IsOverWhenThereIsNothingLeftToSay) {
  client_.Send(kHello + Frame(kData, 0, 0, "no stream has this number"));
  EXPECT_FALSE(Serve());
  EXPECT_NE(client_.Read().find("\x07\0\0\0\0\0"s), std::string::npos) << "a GOAWAY";
}

class DoormanTest : public DoorTest {
 protected:
  DoormanTest() { EXPECT_TRUE(doorman_.Open().ok()); }

  // So many clients that have said hello.
  std::vector<Client> Arrive(size_t count) {
    std::vector<Client> clients(count);
    for (Client& client : clients) {
      doorman_.Receive(client.theirs);
      client.Send(kHello);
    }
    return clients;
  }

  size_t refused_ = 0;
  Doorman doorman_{Policy(), [this] { ++refused_; }};
};

TEST_F(DoormanTest, AProbeThatHasAskedIsAnsweredBeforeItsPlaceIsTaken) {
  Client probe;
  doorman_.Receive(probe.theirs);
  probe.Send(kHello + CallOn("/probe"));
  Arrive(2 * DoorPolicy().local_guests);
  EXPECT_NE(probe.Read().find("served"), std::string::npos);
}

TEST_F(DoormanTest, WhoWasRefusedGoesFirst) {
  std::vector<Client> silent = Arrive(1);
  std::vector<Client> refused = Arrive(DoorPolicy().local_guests - 1);
  for (Client& client : refused) client.Send(CallOn("/other"));
  doorman_.Run();
  const std::vector<Client> newcomers = Arrive(1);
  silent.front().Read();
  refused.front().Read();
  EXPECT_FALSE(silent.front().over);
  EXPECT_TRUE(refused.front().over);
  EXPECT_EQ(refused_, refused.size());
}

TEST_F(DoormanTest, WhoWasAnsweredGoesLast) {
  std::vector<Client> answered = Arrive(1);
  answered.front().Send(CallOn("/probe"));
  std::vector<Client> silent = Arrive(DoorPolicy().local_guests);
  answered.front().Read();
  silent.front().Read();
  EXPECT_FALSE(answered.front().over);
  EXPECT_TRUE(silent.front().over);
  EXPECT_EQ(refused_, 1u);
}

TEST_F(DoormanTest, WhoBreaksTheProtocolLeavesAtOnce) {
  std::vector<Client> clients = Arrive(1);
  clients.front().Send(Frame(kData, 0, 0, "no stream has this number"));
  EXPECT_EQ(doorman_.Run(), -1) << "nobody is there";
  clients.front().Read();
  EXPECT_TRUE(clients.front().over);
  EXPECT_EQ(refused_, 1u);
}

}  // namespace
}  // namespace ferrite
