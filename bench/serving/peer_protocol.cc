#include "bench/serving/peer_protocol.h"

#include <charconv>
#include <cstdint>

#include "absl/strings/str_cat.h"

namespace ferrite::bench {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

// The first line of `answer` without its end; empty if it has not arrived completely.
std::string_view FirstLine(std::string_view answer) {
  const size_t end = answer.find('\n');
  return end == std::string_view::npos ? std::string_view() : answer.substr(0, end - 1);
}

int64_t NumberIn(std::string_view text) {
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// https://redis.io/docs/latest/develop/reference/protocol-spec/
class Redis final : public PeerProtocol {
 public:
  void AppendGet(std::span<const std::string> keys, std::string* request) const override {
    if (keys.size() == 1) {
      request->append("*2\r\n$3\r\nGET\r\n");
    } else {
      absl::StrAppend(request, "*", keys.size() + 1, "\r\n$4\r\nMGET\r\n");
    }
    for (const std::string& key : keys) AppendBulk(key, request);
  }

  void AppendSet(std::string_view key, std::string_view value,
                 std::string* request) const override {
    request->append("*3\r\n$3\r\nSET\r\n");
    AppendBulk(key, request);
    AppendBulk(value, request);
  }

  AnswerPiece Next(std::string_view answer) override {
    const std::string_view line = FirstLine(answer);
    if (line.empty()) return {};
    AnswerPiece piece{.bytes = line.size() + kLineEnd.size()};
    if (line[0] == '*') {
      left_ = NumberIn(line.substr(1));
      return piece;
    }
    if (line[0] == '$') {
      const int64_t size = NumberIn(line.substr(1));
      piece.is_hit = size >= 0;
      if (piece.is_hit) piece.bytes += size + kLineEnd.size();
      if (piece.bytes > answer.size()) return {};
      if (left_ > 0) --left_;
    } else {
      piece.is_error = line != "+OK";
      left_ = 0;
    }
    piece.ends_command = left_ == 0;
    return piece;
  }

 private:
  static void AppendBulk(std::string_view bytes, std::string* request) {
    char head[16] = "$";
    char* const end = std::to_chars(head + 1, head + sizeof(head), bytes.size()).ptr;
    request->append(head, end).append(kLineEnd).append(bytes).append(kLineEnd);
  }

  int64_t left_ = 0;  // remaining elements of the array that is being read
};

// https://github.com/memcached/memcached/blob/master/doc/protocol.txt
class Memcached final : public PeerProtocol {
 public:
  void AppendGet(std::span<const std::string> keys, std::string* request) const override {
    request->append("get");
    for (const std::string& key : keys) request->append(1, ' ').append(key);
    request->append(kLineEnd);
  }

  void AppendSet(std::string_view key, std::string_view value,
                 std::string* request) const override {
    absl::StrAppend(request, "set ", absl::string_view(key.data(), key.size()), " 0 0 ",
                    value.size(), "\r\n");
    request->append(value).append(kLineEnd);
  }

  AnswerPiece Next(std::string_view answer) override {
    const std::string_view line = FirstLine(answer);
    if (line.empty()) return {};
    AnswerPiece piece{.bytes = line.size() + kLineEnd.size()};
    if (line.starts_with("VALUE ")) {
      piece.is_hit = true;
      piece.bytes += NumberIn(line.substr(line.rfind(' ') + 1)) + kLineEnd.size();
      return piece.bytes > answer.size() ? AnswerPiece() : piece;
    }
    piece.ends_command = true;
    piece.is_error = line != "END" && line != "STORED";
    return piece;
  }
};

}  // namespace

std::unique_ptr<PeerProtocol> MakePeerProtocol(std::string_view name) {
  if (name == "redis") return std::make_unique<Redis>();
  return std::make_unique<Memcached>();
}

}  // namespace ferrite::bench
