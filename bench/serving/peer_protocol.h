#pragma once

// Requests to Redis and memcached and their answers, with as little work as possible: a driver that
// costs more than its server would measure itself.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace ferrite::bench {

// A piece of an answer.
struct AnswerPiece {
  size_t bytes = 0;  // 0: has not arrived completely yet
  bool is_hit = false;
  bool is_error = false;
  bool ends_command = false;
};

class PeerProtocol {
 public:
  virtual ~PeerProtocol() = default;

  // Append a command to `*request`. One key is a plain get; more are an MGET or a multi-get.
  virtual void AppendGet(std::span<const std::string> keys, std::string* request) const = 0;
  virtual void AppendSet(std::string_view key, std::string_view value,
                         std::string* request) const = 0;

  // The piece at the front of `answer`, which starts where the last piece ended.
  virtual AnswerPiece Next(std::string_view answer) = 0;
};

// "redis" or "memcached". One per connection, as it remembers its position in an answer.
std::unique_ptr<PeerProtocol> MakePeerProtocol(std::string_view name);

}  // namespace ferrite::bench
