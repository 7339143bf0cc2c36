#include "bench/subscribe/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>
#include <vector>

namespace ferrite::bench {
namespace {

constexpr size_t kReadBytes = 256 << 10;
constexpr int kReadyAtOnce = 256;

int Connected(int port) {
  const int connected = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  Check(connect(connected, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0, "connect");
  const int on = 1;
  setsockopt(connected, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return connected;
}

}  // namespace

void Check(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

Poll::Poll() : epoll_(epoll_create1(0)) { Check(epoll_ >= 0, "epoll_create1"); }

Poll::~Poll() { close(epoll_); }

void Poll::Add(int descriptor, uint32_t events, Waiter* waiter) {
  epoll_event event = {.events = events, .data = {.ptr = waiter}};
  Check(epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) == 0, "epoll_ctl");
}

void Poll::Change(int descriptor, uint32_t events, Waiter* waiter) {
  epoll_event event = {.events = events, .data = {.ptr = waiter}};
  Check(epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor, &event) == 0, "epoll_ctl");
}

void Poll::Remove(int descriptor) {
  Check(epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr) == 0, "epoll_ctl");
}

bool Poll::Wait(int milliseconds) {
  epoll_event events[kReadyAtOnce];
  const int ready = epoll_wait(epoll_, events, kReadyAtOnce, milliseconds);
  for (int i = 0; i < ready; ++i)
    static_cast<Waiter*>(events[i].data.ptr)->OnReady(events[i].events);
  return ready > 0;
}

Connection::Connection(Poll* poll, int port, std::unique_ptr<Dialect> dialect, Receiver* receiver)
    : poll_(*poll), dialect_(std::move(dialect)), receiver_(*receiver), socket_(Connected(port)) {
  poll_.Add(socket_, EPOLLIN, this);
  dialect_->Open(&out_);
  Send();
}

Connection::~Connection() { close(socket_); }

void Connection::Subscribe(const Topic& topic) {
  dialect_->Subscribe(topic, &out_);
  Send();
}

void Connection::Publish(std::string_view channel, std::span<const std::string> payloads) {
  dialect_->Publish(channel, payloads, &out_);
  Send();
}

void Connection::OnReady(uint32_t events) {
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) Receive();
  if (!out_.empty()) Send();
}

void Connection::Send() {
  if (out_.empty()) return;
  const ssize_t sent =
      send(socket_, out_.data() + sent_, out_.size() - sent_, MSG_DONTWAIT | MSG_NOSIGNAL);
  Check(sent >= 0 || errno == EAGAIN, "send");
  if (sent > 0) sent_ += static_cast<size_t>(sent);
  const bool more = sent_ < out_.size();
  if (!more) {
    out_.clear();
    sent_ = 0;
  }
  if (more == std::exchange(waits_to_send_, more)) return;
  poll_.Change(socket_, EPOLLIN | (more ? EPOLLOUT : 0u), this);
}

void Connection::Receive() {
  // Shared by all connections, so that it stays in the processor's cache.
  static thread_local std::vector<char> buffer;
  buffer.resize(rest_.size() + kReadBytes);
  std::memcpy(buffer.data(), rest_.data(), rest_.size());
  const ssize_t got = recv(socket_, buffer.data() + rest_.size(), kReadBytes, MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return;
  Check(got >= 0, "recv");
  if (got == 0) throw std::runtime_error("the server closed a connection");
  receiver_.OnArrival();
  const std::string_view bytes(buffer.data(), rest_.size() + static_cast<size_t>(got));
  rest_ = bytes.substr(dialect_->Take(bytes, &receiver_, &out_));
}

}  // namespace ferrite::bench
