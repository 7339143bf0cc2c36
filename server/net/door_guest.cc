#include "server/net/door_guest.h"

#include <nghttp2/nghttp2.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "base/check.h"
#include "server/call/status.h"

namespace ferrite {
namespace {

constexpr uint32_t kMaxStreams = 32;
constexpr uint32_t kMaxHeaderBytes = 8 << 10;
constexpr uint32_t kWindowBytes = 16 << 10;
// The request of a probe names a service.
constexpr size_t kMaxBodyBytes = 1024;
// What is read of a guest at a time; others have their turn then. What is read of one that leaves.
constexpr size_t kReadBytes = size_t{16} << 10;
// Of what has come when a guest is dismissed. TLS hands over one record at a time, however small.
constexpr int kMaxLastReads = 1024;
constexpr size_t kMaxLastBytes = size_t{1} << 20;
// gRPC's prefix of a message: whether it is compressed, and its size.
constexpr size_t kPrefixBytes = 5;

nghttp2_nv Header(std::string_view name, std::string_view value) {
  return {reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NONE};
}

// As gRPC wants a text in a header.
std::string PercentEncoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (c >= ' ' && c <= '~' && c != '%') {
      encoded += c;
    } else {
      absl::StrAppendFormat(&encoded, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

std::string Framed(const std::string& message) {
  std::string framed(1, '\0');
  for (int shift = 24; shift >= 0; shift -= 8)
    framed += static_cast<char>(message.size() >> shift & 0xff);
  return framed + message;
}

}  // namespace

struct DoorGuest::Callbacks {
  static DoorGuest& Of(void* guest) { return *static_cast<DoorGuest*>(guest); }

  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
                      size_t name_size, const uint8_t* value, size_t value_size, uint8_t,
                      void* guest) {
    if (std::string_view(reinterpret_cast<const char*>(name), name_size) == ":path")
      Of(guest).calls_[frame->hd.stream_id].path.assign(reinterpret_cast<const char*>(value),
                                                        value_size);
    return 0;
  }
  static int OnData(nghttp2_session*, uint8_t, int32_t stream, const uint8_t* bytes, size_t size,
                    void* guest) {
    const auto call = Of(guest).calls_.find(stream);
    if (call == Of(guest).calls_.end()) return 0;
    std::string& body = call->second.body;
    // One byte too many is enough to see that it is too long.
    const size_t room = kMaxBodyBytes + 1 - body.size();
    body.append(reinterpret_cast<const char*>(bytes), std::min(size, room));
    return 0;
  }
  static int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* guest) {
    const bool headers = frame->hd.type == NGHTTP2_HEADERS;
    if (headers && frame->headers.cat == NGHTTP2_HCAT_REQUEST) Of(guest).Begin(frame->hd.stream_id);
    if ((headers || frame->hd.type == NGHTTP2_DATA) &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
      Of(guest).End(frame->hd.stream_id);
    }
    return 0;
  }
  static int OnFrameSent(nghttp2_session* session, const nghttp2_frame* frame, void*) {
    // The call is refused; the rest of its request, which may have no end, is of no use.
    if (frame->hd.type == NGHTTP2_HEADERS && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
    }
    return 0;
  }
  static int OnStreamClose(nghttp2_session*, int32_t stream, uint32_t, void* guest) {
    Of(guest).calls_.erase(stream);
    return 0;
  }
  static ssize_t ReadReply(nghttp2_session* session, int32_t stream, uint8_t* to, size_t most,
                           uint32_t* flags, nghttp2_data_source*, void* guest) {
    std::string& reply = Of(guest).calls_[stream].reply;
    const size_t size = std::min(most, reply.size());
    std::memcpy(to, reply.data(), size);
    reply.erase(0, size);
    if (!reply.empty()) return static_cast<ssize_t>(size);
    *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
    const nghttp2_nv trailer = Header("grpc-status", "0");
    nghttp2_submit_trailer(session, stream, &trailer, 1);
    return static_cast<ssize_t>(size);
  }

  // A new session of a server.
  static nghttp2_session* MakeSession(DoorGuest* guest) {
    nghttp2_session_callbacks* callbacks;
    nghttp2_option* options;
    FERRITE_CHECK(nghttp2_session_callbacks_new(&callbacks) == 0);
    FERRITE_CHECK(nghttp2_option_new(&options) == 0);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, &OnHeader);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &OnData);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &OnFrame);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, &OnFrameSent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &OnStreamClose);
    nghttp2_option_set_no_closed_streams(options, 1);
    nghttp2_session* session = nullptr;
    FERRITE_CHECK(nghttp2_session_server_new2(&session, callbacks, guest, options) == 0);
    nghttp2_option_del(options);
    nghttp2_session_callbacks_del(callbacks);
    return session;
  }
};

DoorGuest::DoorGuest(int descriptor, const DoorPolicy* policy)
    : descriptor_(descriptor),
      wire_(policy->wire(descriptor)),
      policy_(*policy),
      session_(Callbacks::MakeSession(this)) {
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, kMaxStreams},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, kMaxHeaderBytes},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kWindowBytes}};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, std::size(settings));
}

DoorGuest::~DoorGuest() { nghttp2_session_del(session_); }

bool DoorGuest::wants_input() const {
  if (wire_->wait() != GuestWire::Wait::kNothing) return wire_->wait() == GuestWire::Wait::kInput;
  return output_.size() < kMaxOutputBytes && nghttp2_session_want_write(session_) == 0;
}

bool DoorGuest::has_output() const {
  if (wire_->wait() != GuestWire::Wait::kNothing) return wire_->wait() == GuestWire::Wait::kOutput;
  return !output_.empty() || nghttp2_session_want_write(session_) != 0;
}

bool DoorGuest::Advance() {
  if (!Write()) return false;
  if (wants_input() && !(Read() && Write())) return false;
  return wire_->wait() != GuestWire::Wait::kNothing || has_output() ||
         nghttp2_session_want_read(session_) != 0;
}

bool DoorGuest::Read() {
  uint8_t bytes[kReadBytes];
  const ssize_t size = wire_->Receive(bytes, sizeof(bytes));
  if (size < 0) return errno == EAGAIN || errno == EINTR;
  if (size == 0) return false;
  if (nghttp2_session_mem_recv(session_, bytes, static_cast<size_t>(size)) < 0) return false;
  if (refused_ && !std::exchange(told_to_leave_, true)) nghttp2_submit_shutdown_notice(session_);
  return true;
}

bool DoorGuest::Write() {
  const uint8_t* bytes;
  while (output_.size() < kMaxOutputBytes) {
    const ssize_t size = nghttp2_session_mem_send(session_, &bytes);
    if (size < 0) return false;
    if (size == 0) break;
    output_.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
  }
  if (output_.empty()) return true;
  const ssize_t sent = wire_->Send(output_.data(), output_.size());
  if (sent < 0) return errno == EAGAIN || errno == EINTR;
  output_.erase(0, static_cast<size_t>(sent));
  return true;
}

void DoorGuest::Dismiss() {
  const std::string why(policy_.refusal.message());
  nghttp2_submit_goaway(
      session_, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_),
      NGHTTP2_ENHANCE_YOUR_CALM, reinterpret_cast<const uint8_t*>(why.data()), why.size());
  // What has come is read first: to close before that would take back what was written.
  uint8_t ignored[kReadBytes];
  size_t bytes = 0;
  for (int i = 0; i < kMaxLastReads && bytes < kMaxLastBytes; ++i) {
    const ssize_t size = wire_->Receive(ignored, sizeof(ignored));
    if (size <= 0) break;
    bytes += static_cast<size_t>(size);
  }
  Write();
  shutdown(descriptor(), SHUT_WR);
}

void DoorGuest::Begin(int32_t stream) {
  // Many calls never end their requests, so they are refused as they begin.
  if (!policy_.answers.contains(calls_[stream].path)) Refuse(stream, policy_.refusal);
}

void DoorGuest::End(int32_t stream) {
  const Call& call = calls_[stream];
  const auto found = policy_.answers.find(call.path);
  if (found == policy_.answers.end()) return;  // refused when it began
  if (call.body.size() < kPrefixBytes || call.body.size() > kMaxBodyBytes || call.body[0] != 0)
    return Refuse(stream, policy_.refusal);
  answered_ = true;
  const absl::StatusOr<std::string> reply =
      found->second(std::string_view(call.body).substr(kPrefixBytes));
  if (reply.ok()) {
    Reply(stream, *reply);
  } else {
    Refuse(stream, reply.status());
  }
}

void DoorGuest::Reply(int32_t stream, const std::string& message) {
  calls_[stream].reply = Framed(message);
  const nghttp2_nv headers[] = {Header(":status", "200"),
                                Header("content-type", "application/grpc")};
  nghttp2_data_provider provider{};
  provider.read_callback = &Callbacks::ReadReply;
  nghttp2_submit_response(session_, stream, headers, std::size(headers), &provider);
}

void DoorGuest::Refuse(int32_t stream, const absl::Status& status) {
  policy_.on_refusal(status);
  const std::string code = std::to_string(static_cast<int>(status.code()));
  const std::string message =
      PercentEncoded(std::string_view(status.message().data(), status.message().size()));
  const std::string details = absl::Base64Escape(DetailsOf(status));
  std::vector<nghttp2_nv> headers = {Header(":status", "200"),
                                     Header("content-type", "application/grpc"),
                                     Header("grpc-status", code), Header("grpc-message", message)};
  if (!details.empty()) headers.push_back(Header("grpc-status-details-bin", details));
  std::string pushback;
  if (status.code() == absl::StatusCode::kResourceExhausted) {
    pushback = std::to_string(policy_.pushback().count());
    headers.push_back(Header("grpc-retry-pushback-ms", pushback));
    refused_ = true;
  }
  nghttp2_submit_response(session_, stream, headers.data(), headers.size(), nullptr);
}

}  // namespace ferrite
