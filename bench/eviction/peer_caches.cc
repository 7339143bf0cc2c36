#include "bench/eviction/peer_caches.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <unordered_set>

#include "bench/eviction/peer_connection.h"

namespace ferrite::bench {
namespace {

constexpr size_t kBatch = 16;
// What memcached takes by default: values up to 1 MiB, less what it adds to them, and keys up to
// 250 bytes without blanks.
constexpr size_t kMaxMemcachedValueBytes = (size_t{1} << 20) - 1024;
constexpr size_t kMaxMemcachedKeyBytes = 250;

constexpr std::string_view kScript =
    "local misses = 0 "
    "for i = 1, #KEYS do "
    "  if not redis.call('GET', KEYS[i]) then "
    "    misses = misses + 1 "
    "    redis.call('SET', KEYS[i], string.rep('v', tonumber(ARGV[i]))) "
    "  end "
    "end "
    "return misses";

void AppendArgument(std::string* command, std::string_view argument) {
  *command += "$" + std::to_string(argument.size()) + "\r\n";
  *command += argument;
  *command += "\r\n";
}

class RedisCache : public Cache {
 public:
  RedisCache(const Trace& trace, const std::string& socket_path)
      : trace_(trace), connection_(socket_path) {
    std::string command = "*3\r\n";
    for (const std::string_view argument : {std::string_view("SCRIPT"), std::string_view("LOAD")}) {
      AppendArgument(&command, argument);
    }
    AppendArgument(&command, kScript);
    connection_.Send(command);
    const std::string header(connection_.Line());
    if (header != "$40") RefuseAnswer("Redis", header);
    script_ = connection_.Line();
  }

  size_t Replay(std::span<const Request> requests) override {
    size_t misses = 0;
    while (!requests.empty()) {
      const auto batch = requests.first(std::min(kBatch, requests.size()));
      requests = requests.subspan(batch.size());
      command_ = "*" + std::to_string(3 + 2 * batch.size()) + "\r\n$7\r\nEVALSHA\r\n";
      AppendArgument(&command_, script_);
      AppendArgument(&command_, std::to_string(batch.size()));
      for (const Request& request : batch) AppendArgument(&command_, trace_.key(request));
      for (const Request& request : batch) {
        AppendArgument(&command_, std::to_string(request.value_bytes));
      }
      connection_.Send(command_);
      const std::string_view answer = connection_.Line();
      size_t batch_misses = 0;
      if (answer.empty() || answer[0] != ':') RefuseAnswer("Redis", answer);
      std::from_chars(answer.data() + 1, answer.data() + answer.size(), batch_misses);
      misses += batch_misses;
    }
    return misses;
  }

 private:
  const Trace& trace_;
  PeerConnection connection_;
  std::string script_;
  std::string command_;
};

class MemcachedCache : public Cache {
 public:
  MemcachedCache(const Trace& trace, const std::string& socket_path)
      : trace_(trace), connection_(socket_path), fill_(kMaxMemcachedValueBytes, 'v') {}

  size_t Replay(std::span<const Request> requests) override {
    size_t misses = 0;
    while (!requests.empty()) {
      const auto batch = requests.first(std::min(kBatch, requests.size()));
      requests = requests.subspan(batch.size());
      Get(batch);
      misses += SetMisses(batch);
    }
    return misses;
  }

 private:
  void Get(std::span<const Request> batch) {
    found_.clear();
    command_ = "get";
    for (const Request& request : batch) (command_ += " ") += KeyOf(request);
    command_ += "\r\n";
    connection_.Send(command_);
    for (;;) {
      const std::string_view line = connection_.Line();
      if (line == "END") return;
      // VALUE key flags bytes
      const size_t key_end = line.find(' ', 6);
      const size_t size_begin = line.rfind(' ') + 1;
      if (!line.starts_with("VALUE ") || key_end == std::string_view::npos) {
        RefuseAnswer("memcached", line);
      }
      size_t size = 0;
      std::from_chars(line.data() + size_begin, line.data() + line.size(), size);
      found_.emplace(line.substr(6, key_end - 6));
      connection_.Skip(size + 2);
    }
  }

  // Keys that it would not understand go by their number.
  std::string KeyOf(const Request& request) const {
    const std::string_view key = trace_.key(request);
    const bool is_plain =
        std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < 0x7f; });
    if (is_plain && key.size() <= kMaxMemcachedKeyBytes) return std::string(key);
    return "#" + std::to_string(request.key);
  }

  // A key that stands in the batch twice is missed once, if its value can be stored.
  size_t SetMisses(std::span<const Request> batch) {
    size_t misses = 0;
    command_.clear();
    for (const Request& request : batch) {
      const std::string key = KeyOf(request);
      if (found_.contains(key)) continue;
      ++misses;
      const size_t size = request.value_bytes;
      if (size > kMaxMemcachedValueBytes) continue;
      found_.insert(key);
      (command_ += "set ") += key;
      command_ += " 0 0 " + std::to_string(size) + " noreply\r\n";
      command_.append(fill_, 0, size);
      command_ += "\r\n";
    }
    connection_.Send(command_);
    return misses;
  }

  const Trace& trace_;
  PeerConnection connection_;
  const std::string fill_;
  std::string command_;
  std::unordered_set<std::string> found_;
};

}  // namespace

std::unique_ptr<Cache> ConnectRedis(const Trace& trace, const std::string& socket_path) {
  return std::make_unique<RedisCache>(trace, socket_path);
}

std::unique_ptr<Cache> ConnectMemcached(const Trace& trace, const std::string& socket_path) {
  return std::make_unique<MemcachedCache>(trace, socket_path);
}

}  // namespace ferrite::bench
