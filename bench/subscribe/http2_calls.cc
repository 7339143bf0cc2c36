#include "bench/subscribe/http2_calls.h"

#include <stdexcept>
#include <utility>

#include "base/http2.h"

namespace ferrite::bench {
namespace {

constexpr size_t kMessageHeadBytes = 5;
constexpr size_t kMostSentBytes = 16'384;  // of a frame; a quarter of the smallest window
constexpr uint32_t kConnectionWindow = 16 << 20;
// Of a call. gRPC's clients begin with 64 KiB and grow with the throughput of the connection.
constexpr uint32_t kCallWindow = 1 << 20;
constexpr uint32_t kFirstWindow = 65'535;

constexpr uint16_t kEnablePush = 2;
constexpr uint16_t kInitialWindowSize = 4;

void AppendNumber(uint64_t number, int bytes, std::string* out) {
  for (int i = bytes - 1; i >= 0; --i) out->push_back(static_cast<char>(number >> (8 * i)));
}

uint32_t NumberIn(std::string_view bytes) {
  uint32_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<uint8_t>(byte);
  return number;
}

void AppendHead(size_t size, http2::FrameType type, uint8_t flags, uint32_t stream,
                std::string* out) {
  AppendNumber(size, 3, out);
  AppendNumber(type, 1, out);
  AppendNumber(flags, 1, out);
  AppendNumber(stream, 4, out);
}

void AppendWindowUpdate(uint32_t stream, uint32_t bytes, std::string* out) {
  AppendHead(4, http2::kWindowUpdate, 0, stream, out);
  AppendNumber(bytes, 4, out);
}

void AppendText(std::string_view text, std::string* out) {
  out->push_back(static_cast<char>(text.size()));
  out->append(text);
}

// RFC 7541. The first call adds the headers that all calls share to the server's table; the others
// refer to them.
std::string HeadersOf(std::string_view path, bool first) {
  std::string headers = "\x83\x86";  // :method: POST, :scheme: http
  if (!first) return headers + "\xc1\xc0\xbf\xbe";
  headers += '\x44';
  AppendText(path, &headers);
  headers += '\x41';
  AppendText("localhost", &headers);  // :authority
  headers += '\x5f';
  AppendText("application/grpc", &headers);  // content-type
  headers += '\x40';
  AppendText("te", &headers);
  AppendText("trailers", &headers);
  return headers;
}

uint32_t StreamOf(size_t call) { return static_cast<uint32_t>(2 * call + 1); }
size_t CallOf(uint32_t stream) { return stream / 2; }

}  // namespace

Http2Calls::Http2Calls(std::string path, bool reads) : path_(std::move(path)), reads_(reads) {}

void Http2Calls::Open(std::string* out) const {
  out->append("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  AppendHead(12, http2::kSettings, 0, 0, out);
  AppendNumber(kEnablePush, 2, out);
  AppendNumber(0, 4, out);
  AppendNumber(kInitialWindowSize, 2, out);
  AppendNumber(reads_ ? kCallWindow : kFirstWindow, 4, out);
  AppendWindowUpdate(0, kConnectionWindow - kFirstWindow, out);
}

size_t Http2Calls::Begin(std::string* out) {
  const uint32_t stream = StreamOf(begun_);
  const std::string headers = HeadersOf(path_, begun_ == 0);
  AppendHead(headers.size(), http2::kHeaders, http2::kEndHeaders, stream, out);
  out->append(headers);
  calls_[stream];
  return begun_++;
}

void Http2Calls::Send(size_t call, std::string_view message, bool last, std::string* out) {
  const size_t size = kMessageHeadBytes + message.size();
  if (size > kMostSentBytes) throw std::runtime_error("a message is too large to be sent at once");
  AppendHead(size, http2::kData, last ? http2::kEndStream : 0, StreamOf(call), out);
  out->push_back('\0');  // not compressed
  AppendNumber(message.size(), 4, out);
  out->append(message);
}

size_t Http2Calls::Take(std::string_view bytes, Receiver* receiver, std::string* out) {
  size_t taken = 0;
  while (bytes.size() - taken >= http2::kHeadBytes) {
    const std::string_view head = bytes.substr(taken, http2::kHeadBytes);
    const size_t size = NumberIn(head.substr(0, 3));
    if (bytes.size() - taken - http2::kHeadBytes < size) break;
    TakeFrame(static_cast<uint8_t>(head[3]), static_cast<uint8_t>(head[4]),
              NumberIn(head.substr(5)), bytes.substr(taken + http2::kHeadBytes, size), receiver,
              out);
    taken += http2::kHeadBytes + size;
  }
  return taken;
}

void Http2Calls::TakeFrame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload,
                           Receiver* receiver, std::string* out) {
  switch (type) {
    case http2::kData:
      TakeData(stream, payload, receiver, out);
      if ((flags & http2::kEndStream) != 0) End(stream, receiver);
      return;
    case http2::kHeaders:
      if ((flags & http2::kEndStream) != 0) End(stream, receiver);
      return;
    case http2::kSettings:
      if ((flags & http2::kAck) == 0) AppendHead(0, http2::kSettings, http2::kAck, 0, out);
      return;
    case http2::kPing:
      if ((flags & http2::kAck) != 0) return;
      AppendHead(payload.size(), http2::kPing, http2::kAck, 0, out);
      out->append(payload);
      return;
    case http2::kResetStream:
      throw std::runtime_error("the server reset a call, HTTP/2 error code " +
                               std::to_string(payload.empty() ? -1 : int{payload.back()}));
    case http2::kGoAway:
      throw std::runtime_error("the server ends the connection");
    default:
      return;
  }
}

void Http2Calls::TakeData(uint32_t stream, std::string_view payload, Receiver* receiver,
                          std::string* out) {
  const auto found = calls_.find(stream);
  if (found == calls_.end()) throw std::runtime_error("the server answered no call");
  Call& call = found->second;
  if (call.partial.empty()) {
    call.partial = TakeMessages(payload, CallOf(stream), &call, receiver);
  } else {
    call.partial.append(payload);
    call.partial = std::string(TakeMessages(call.partial, CallOf(stream), &call, receiver));
  }
  const auto size = static_cast<uint32_t>(payload.size());
  if (reads_ && (call.unreturned += size) >= kCallWindow / 2) {
    AppendWindowUpdate(stream, std::exchange(call.unreturned, 0), out);
  }
  if ((unreturned_ += size) >= kConnectionWindow / 2) {
    AppendWindowUpdate(0, std::exchange(unreturned_, 0), out);
  }
}

std::string_view Http2Calls::TakeMessages(std::string_view bytes, size_t number, Call* call,
                                          Receiver* receiver) {
  while (bytes.size() >= kMessageHeadBytes) {
    const size_t size = NumberIn(bytes.substr(1, 4));
    if (bytes.size() - kMessageHeadBytes < size) break;
    ++call->messages;
    receiver->OnMessage(number, bytes.substr(kMessageHeadBytes, size));
    bytes.remove_prefix(kMessageHeadBytes + size);
  }
  return bytes;
}

void Http2Calls::End(uint32_t stream, Receiver* receiver) {
  const auto found = calls_.find(stream);
  if (found == calls_.end()) return;
  const uint64_t messages = found->second.messages;
  calls_.erase(found);
  receiver->OnEnd(CallOf(stream), messages);
}

}  // namespace ferrite::bench
