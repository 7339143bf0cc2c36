#pragma once

// The sockets of one thread and their handlers.

#include <cstdint>
#include <memory>
#include <string>

#include "bench/subscribe/dialect.h"

namespace ferrite::bench {

// Throws std::runtime_error with the error of the last system call.
void Check(bool ok, const char* what);

// Something that waits for a descriptor.
class Waiter {
 public:
  virtual void OnReady(uint32_t events) = 0;

 protected:
  ~Waiter() = default;
};

// An epoll instance. Not thread-safe; whatever is added must outlive it or close its descriptor
// before.
class Poll {
 public:
  Poll();
  Poll(const Poll&) = delete;
  Poll& operator=(const Poll&) = delete;
  ~Poll();

  void Add(int descriptor, uint32_t events, Waiter* waiter);
  void Change(int descriptor, uint32_t events, Waiter* waiter);
  void Remove(int descriptor);

  // Waits and calls those that are ready; false if none was within the time. -1: no limit.
  bool Wait(int milliseconds);

 private:
  const int epoll_;
};

// A connection to 127.0.0.1 that speaks a Dialect. Not thread-safe.
class Connection final : private Waiter {
 public:
  // Connects. The pointers must outlive it.
  Connection(Poll* poll, int port, std::unique_ptr<Dialect> dialect, Receiver* receiver);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  void Subscribe(const Topic& topic);
  void Publish(std::string_view channel, std::span<const std::string> payloads);

 private:
  void OnReady(uint32_t events) override;
  void Send();
  void Receive();

  Poll& poll_;
  const std::unique_ptr<Dialect> dialect_;
  Receiver& receiver_;
  const int socket_;
  std::string out_;
  size_t sent_ = 0;  // of out_
  bool waits_to_send_ = false;
  std::string rest_;  // received bytes: an answer that is not complete
};

}  // namespace ferrite::bench
