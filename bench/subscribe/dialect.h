#pragma once

// The protocol of a publish-subscribe server, as bytes and with as little work as possible: a
// driver that costs more than its server would measure itself. Ferrite is spoken without gRPC's
// library, so that the same loop drives it and Redis.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace ferrite::bench {

// Is told what arrived on a connection.
class Receiver {
 public:
  virtual ~Receiver() = default;

  // Bytes have arrived; the following calls are about them.
  virtual void OnArrival() {}
  // A subscription is active.
  virtual void OnSubscribed() {}
  // A message or a key event came on this stream of the connection. The payload of a key event is
  // empty.
  virtual void OnMessage(size_t stream, std::string_view payload) = 0;
  // Messages may be missing.
  virtual void OnGap() {}
  // The oldest `count` publishes are done.
  virtual void OnPublished(uint64_t count) = 0;
};

// What a subscription follows: a channel, or if that is empty, the keys with a prefix.
struct Topic {
  std::string channel;
  std::string key_prefix;
  bool with_values = false;
};

// The protocol of one connection. Each subscription is a stream of it, numbered from 0. Throws
// std::runtime_error on an unexpected answer.
class Dialect {
 public:
  virtual ~Dialect() = default;

  // Append to `*out` what is to be sent: the opening of a connection, a subscription, messages that
  // travel together.
  virtual void Open(std::string* out) = 0;
  virtual void Subscribe(const Topic& topic, std::string* out) = 0;
  virtual void Publish(std::string_view channel, std::span<const std::string> payloads,
                       std::string* out) = 0;

  // Reports the complete answers at the front of `bytes` to `receiver`; returns how many bytes they
  // were. Appends to `*out` what has to be sent in return.
  virtual size_t Take(std::string_view bytes, Receiver* receiver, std::string* out) = 0;
};

// RESP. A connection follows one topic; messages that travel together are a pipeline.
std::unique_ptr<Dialect> MakeRedisDialect();

// The kind of calls that a connection to Ferrite makes.
enum class FerriteCall {
  kSubscribe,
  kPublish,   // messages travel alone
  kPipeline,  // messages that travel together are a frame
};

// gRPC. Without `reads` it behaves like a client whose program never asks for the next message: its
// connection lives, but each stream receives no more than its first window.
std::unique_ptr<Dialect> MakeFerriteDialect(FerriteCall call, bool reads);

}  // namespace ferrite::bench
