#include <charconv>
#include <stdexcept>

#include "bench/subscribe/dialect.h"

namespace ferrite::bench {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

void AppendCommand(std::initializer_list<std::string_view> words, std::string* out) {
  out->append("*").append(std::to_string(words.size())).append(kLineEnd);
  for (const std::string_view word : words) {
    out->append("$").append(std::to_string(word.size())).append(kLineEnd);
    out->append(word).append(kLineEnd);
  }
}

// Reads RESP. Every function returns false if its item has not arrived completely.
class Answer {
 public:
  explicit Answer(std::string_view bytes) : rest_(bytes) {}

  // A line: the kind of item that begins, and its number.
  bool Head(char* kind, int64_t* number) {
    const size_t end = rest_.find('\n');
    if (end == std::string_view::npos) return false;
    *kind = rest_[0];
    if (*kind == '-') throw std::runtime_error("Redis answered " + std::string(rest_, 0, end));
    std::from_chars(rest_.data() + 1, rest_.data() + end, *number);
    rest_.remove_prefix(end + 1);
    return true;
  }

  bool Element(std::string_view* bytes) {
    char kind;
    int64_t number = 0;
    if (!Head(&kind, &number)) return false;
    if (kind != '$') return true;  // a number, which is only a line
    const size_t size = static_cast<size_t>(number);
    if (rest_.size() < size + kLineEnd.size()) return false;
    *bytes = rest_.substr(0, size);
    rest_.remove_prefix(size + kLineEnd.size());
    return true;
  }

  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

// https://redis.io/docs/latest/develop/reference/protocol-spec/
class RedisDialect final : public Dialect {
 public:
  void Open(std::string*) override {}

  void Subscribe(const Topic& topic, std::string* out) override {
    if (topic.channel.empty()) {
      AppendCommand({"PSUBSCRIBE", "__keyspace@0__:" + topic.key_prefix + "*"}, out);
    } else {
      AppendCommand({"SUBSCRIBE", topic.channel}, out);
    }
  }

  void Publish(std::string_view channel, std::span<const std::string> payloads,
               std::string* out) override {
    for (const std::string& payload : payloads) AppendCommand({"PUBLISH", channel, payload}, out);
  }

  size_t Take(std::string_view bytes, Receiver* receiver, std::string*) override {
    std::string_view rest = bytes;
    while (!rest.empty()) {
      Answer answer(rest);
      char kind;
      int64_t number = 0;
      if (!answer.Head(&kind, &number)) break;
      if (kind == ':') {
        receiver->OnPublished(1);
      } else if (!TakePush(&answer, number, receiver)) {
        break;
      }
      rest = answer.rest();
    }
    return bytes.size() - rest.size();
  }

 private:
  // A push message: an array whose first element is its kind, and whose last is the payload.
  static bool TakePush(Answer* answer, int64_t elements, Receiver* receiver) {
    std::string_view what;
    std::string_view last;
    if (!answer->Element(&what)) return false;
    for (int64_t i = 1; i < elements; ++i) {
      if (!answer->Element(&last)) return false;
    }
    if (what == "message") {
      receiver->OnMessage(0, last);
    } else if (what == "pmessage") {
      receiver->OnMessage(0, {});
    } else if (what == "subscribe" || what == "psubscribe") {
      receiver->OnSubscribed();
    } else {
      throw std::runtime_error("Redis sent " + std::string(what));
    }
    return true;
  }
};

}  // namespace

std::unique_ptr<Dialect> MakeRedisDialect() { return std::make_unique<RedisDialect>(); }

}  // namespace ferrite::bench
