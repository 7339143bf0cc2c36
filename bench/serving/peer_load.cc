// Loads Redis or memcached with the keys of `ferrite bench`: one thread, some connections, and on
// each a burst of commands in flight, which is answered completely before the next one is sent. The
// same loop drives both, so that neither benefits from a better driver. Prints one JSON line at the
// end.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/serving/peer_protocol.h"
#include "client/cli/bench/latency.h"
#include "client/cli/bench/workload.h"
#include "nlohmann/json.hpp"

namespace ferrite::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct LoadOptions {
  std::string protocol = "redis";
  int port = 0;
  std::string op = "get";
  int connections = 1;
  int pipeline = 1;  // commands in a burst
  int batch = 1;     // keys in a command
  double seconds = 1;
  bool fill = false;  // write every key once instead
  cli::BenchOptions keys;
};

struct Counts {
  uint64_t commands = 0;
  uint64_t hits = 0;
  uint64_t errors = 0;
  cli::LatencyRecorder latency;  // of bursts
};

// Generates bursts until there is no more to send.
class Bursts {
 public:
  explicit Bursts(const LoadOptions& options)
      : options_(options), workload_(options.keys, /*seed=*/1), keys_(options.batch) {}

  // Appends a burst; returns its number of commands, 0 if everything was written.
  int Append(const PeerProtocol& protocol, std::string* request) {
    if (options_.fill) return AppendFill(protocol, request);
    for (int i = 0; i < options_.pipeline; ++i) {
      for (std::string& key : keys_) workload_.NextKey(&key);
      if (options_.op == "set") {
        protocol.AppendSet(keys_[0], workload_.value(), request);
      } else {
        protocol.AppendGet(keys_, request);
      }
    }
    return options_.pipeline;
  }

 private:
  int AppendFill(const PeerProtocol& protocol, std::string* request) {
    int commands = 0;
    for (; commands < options_.pipeline && written_ < options_.keys.keys; ++commands, ++written_) {
      cli::WriteKey(cli::kEntryKey, written_, options_.keys.key_size, keys_.data());
      protocol.AppendSet(keys_[0], workload_.value(), request);
    }
    return commands;
  }

  const LoadOptions& options_;
  cli::Workload workload_;
  std::vector<std::string> keys_;
  uint64_t written_ = 0;
};

void Check(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

class Connection {
 public:
  Connection(const LoadOptions& options, int epoll, Bursts* bursts, Counts* counts)
      : protocol_(MakePeerProtocol(options.protocol)),
        epoll_(epoll),
        bursts_(*bursts),
        counts_(*counts),
        socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(options.port));
    Check(connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0, "connect");
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    epoll_event event = {.events = EPOLLIN, .data = {.ptr = this}};
    Check(epoll_ctl(epoll_, EPOLL_CTL_ADD, socket_, &event) == 0, "epoll_ctl");
  }
  ~Connection() { close(socket_); }

  // Sends the next burst. False if there is none.
  bool Begin() {
    request_.clear();
    sent_ = 0;
    left_ = bursts_.Append(*protocol_, &request_);
    begin_ = Clock::now();
    if (left_ > 0) Send();
    return left_ > 0;
  }

  // Whether the burst in flight has been answered.
  bool OnReady(uint32_t events) {
    if ((events & EPOLLOUT) != 0) Send();
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) return false;
    Receive();
    if (left_ > 0) return false;
    counts_.latency.Record(absl::FromChrono(Clock::now() - begin_));
    return true;
  }

 private:
  static constexpr size_t kReadBytes = 256 << 10;

  void Send() {
    const ssize_t sent = send(socket_, request_.data() + sent_, request_.size() - sent_,
                              MSG_DONTWAIT | MSG_NOSIGNAL);
    Check(sent >= 0 || errno == EAGAIN, "send");
    if (sent > 0) sent_ += sent;
    const bool more = sent_ < request_.size();
    if (more == waits_to_send_) return;
    waits_to_send_ = more;
    epoll_event event = {.events = EPOLLIN | (more ? EPOLLOUT : 0u), .data = {.ptr = this}};
    Check(epoll_ctl(epoll_, EPOLL_CTL_MOD, socket_, &event) == 0, "epoll_ctl");
  }

  void Receive() {
    if (answer_.size() < filled_ + kReadBytes) answer_.resize(filled_ + kReadBytes);
    const ssize_t got = recv(socket_, answer_.data() + filled_, kReadBytes, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    Check(got > 0, "recv");
    filled_ += got;
    std::string_view rest(answer_.data(), filled_);
    while (left_ > 0 && !rest.empty()) {
      const AnswerPiece piece = protocol_->Next(rest);
      if (piece.bytes == 0) break;
      rest.remove_prefix(piece.bytes);
      counts_.hits += piece.is_hit;
      counts_.errors += piece.is_error;
      counts_.commands += piece.ends_command;
      left_ -= piece.ends_command;
    }
    std::memmove(answer_.data(), rest.data(), rest.size());
    filled_ = rest.size();
  }

  const std::unique_ptr<PeerProtocol> protocol_;
  const int epoll_;
  Bursts& bursts_;
  Counts& counts_;
  const int socket_;
  std::string request_;
  size_t sent_ = 0;
  bool waits_to_send_ = false;
  std::vector<char> answer_;
  size_t filled_ = 0;
  int left_ = 0;  // commands without an answer
  Clock::time_point begin_;
};

// Returns how many seconds it took.
double Run(const LoadOptions& options, Counts* counts) {
  const int epoll = epoll_create1(0);
  Bursts bursts(options);
  std::vector<std::unique_ptr<Connection>> connections;
  for (int i = 0; i < options.connections; ++i) {
    connections.push_back(std::make_unique<Connection>(options, epoll, &bursts, counts));
  }
  const Clock::time_point start = Clock::now();
  const Clock::time_point end =
      start + std::chrono::duration_cast<Clock::duration>(
                  std::chrono::duration<double>(options.fill ? 1e6 : options.seconds));
  int busy = 0;
  for (const auto& connection : connections) busy += connection->Begin();
  epoll_event events[64];
  while (busy > 0) {
    const int ready = epoll_wait(epoll, events, 64, -1);
    for (int i = 0; i < ready; ++i) {
      auto* const connection = static_cast<Connection*>(events[i].data.ptr);
      if (!connection->OnReady(events[i].events)) continue;
      if (Clock::now() >= end || !connection->Begin()) --busy;
    }
  }
  close(epoll);
  return std::chrono::duration<double>(Clock::now() - start).count();
}

int Main(int argc, char** argv) {
  LoadOptions options;
  CLI::App app("Loads Redis or memcached on 127.0.0.1");
  app.add_option("--protocol", options.protocol)->check(CLI::IsMember({"redis", "memcached"}));
  app.add_option("--port", options.port)->required();
  app.add_option("--op", options.op)->check(CLI::IsMember({"get", "set"}));
  app.add_option("--connections", options.connections)->check(CLI::Range(1, 10'000));
  app.add_option("--pipeline", options.pipeline, "Commands in a burst")->check(CLI::Range(1, 1024));
  app.add_option("--batch", options.batch, "Keys in a get")->check(CLI::Range(1, 1024));
  app.add_option("--keys", options.keys.keys);
  app.add_option("--key-size", options.keys.key_size);
  app.add_option("--value-size", options.keys.value_size);
  app.add_option("--duration", options.seconds, "Seconds");
  app.add_flag("--fill", options.fill, "Write every key once and end");
  CLI11_PARSE(app, argc, argv);

  Counts counts;
  const double seconds = Run(options, &counts);
  cli::Latencies latencies;
  latencies.Add(counts.latency);
  const uint64_t asked = counts.commands * options.batch;
  const bool reads = options.op == "get" && !options.fill;
  const nlohmann::ordered_json json = {
      {"seconds", seconds},
      {"commands", counts.commands},
      {"operations", asked},
      {"misses", reads ? asked - counts.hits : 0},
      {"errors", counts.errors},
      {"p50_us", absl::ToDoubleMicroseconds(latencies.Percentile(0.5))},
      {"p99_us", absl::ToDoubleMicroseconds(latencies.Percentile(0.99))}};
  std::printf("%s\n", json.dump().c_str());
  return 0;
}

}  // namespace
}  // namespace ferrite::bench

int main(int argc, char** argv) {
  try {
    return ferrite::bench::Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench-peer-load: %s\n", error.what());
    return 1;
  }
}
