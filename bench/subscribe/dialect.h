#pragma once

// What is said to a server of messages and what it answers, as bytes and with as little work as
// possible: a driver that costs more than its server would measure itself. Ferrite is read without
// gRPC's library, so that it and Redis are driven by the same loop.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace ferrite::bench {

// Who is told what arrived on a connection.
class Receiver {
 public:
  virtual ~Receiver() = default;

  // Bytes are there; what is told next came with them.
  virtual void OnArrival() {}
  // A subscription stands.
  virtual void OnSubscribed() {}
  // A message, or an event of a key, came on this stream of the connection. The payload is empty if
  // it was an event.
  virtual void OnMessage(size_t stream, std::string_view payload) = 0;
  // Messages may be missing.
  virtual void OnGap() {}
  // So many publishes are done, the oldest ones.
  virtual void OnPublished(uint64_t count) = 0;
};

// What a subscription follows: a channel, or if that is empty the keys with a prefix.
struct Topic {
  std::string channel;
  std::string key_prefix;
  bool with_values = false;
};

// How one connection is spoken. Each subscription is a stream of it, counted from 0. Throws
// std::runtime_error at an answer that should not be.
class Dialect {
 public:
  virtual ~Dialect() = default;

  // Append to `*out` what is to be sent: what opens a connection, a subscription, some messages
  // that travel together.
  virtual void Open(std::string* out) = 0;
  virtual void Subscribe(const Topic& topic, std::string* out) = 0;
  virtual void Publish(std::string_view channel, std::span<const std::string> payloads,
                       std::string* out) = 0;

  // Tells `receiver` what stands at the front of `bytes`; returns how many of them that were. The
  // rest has not arrived as a whole. Appends to `*out` what has to be answered.
  virtual size_t Take(std::string_view bytes, Receiver* receiver, std::string* out) = 0;
};

// RESP. A connection follows one topic; messages that travel together are a pipeline.
std::unique_ptr<Dialect> MakeRedisDialect();

// What a connection of Ferrite is for: it makes calls of one kind.
enum class FerriteCall {
  kSubscribe,
  kPublish,   // messages travel alone
  kPipeline,  // messages that travel together are a frame
};

// gRPC. One that does not read behaves as a client whose program never asks for the next message:
// its connection lives, but each stream takes no more than its first window.
std::unique_ptr<Dialect> MakeFerriteDialect(FerriteCall call, bool reads);

}  // namespace ferrite::bench
