#include "tests/chaos/caller.h"

#include <grpcpp/create_channel.h>

#include <charconv>
#include <chrono>
#include <limits>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace ferrite {
namespace {

// What a value is recorded as that nobody can have written.
constexpr uint64_t kTornValue = std::numeric_limits<uint64_t>::max();
// Makes a value longer than what fits beside its key.
constexpr size_t kPadding = 100;

std::shared_ptr<grpc::Channel> Connect(const std::string& address, uint32_t number) {
  grpc::ChannelArguments arguments;
  arguments.SetInt("ferrite.caller", static_cast<int>(number));  // a connection of its own
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 300);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 300);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

std::string TextOf(uint64_t value) { return std::to_string(value) + std::string(kPadding, '.'); }

uint64_t NumberIn(const std::string& text, size_t padding) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view rest(end, static_cast<size_t>(text.data() + text.size() - end));
  return error == std::errc() && rest == std::string(padding, '.') ? value : kTornValue;
}

// The ErrorInfo of a failure; empty if it has none.
google::rpc::ErrorInfo InfoOf(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  if (!details.ParseFromString(status.error_details())) return info;
  for (const auto& detail : details.details()) {
    if (detail.UnpackTo(&info)) return info;
  }
  return info;
}

bool SaysNothingWasDone(const google::rpc::ErrorInfo& info) {
  if (info.reason() == "SLOT_IN_TRANSITION" || info.reason() == "SLOT_UNOWNED") return true;
  const auto executed = info.metadata().find("executed");
  return executed != info.metadata().end() && executed->second == "no";
}

}  // namespace

int64_t ElapsedNs(const CallerOptions& options) {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count() - options.start_ns;
}

Caller::Caller(const CallerOptions& options, const std::string& address, uint32_t number)
    : options_(options),
      channel_(Connect(address, number)),
      stub_(v1::CacheService::NewStub(channel_)),
      first_value_(uint64_t{number + 1} << 32),
      random_(number),
      observed_(options.keys()) {}

void Caller::Run(const absl::Notification& stop) {
  while (!stop.HasBeenNotified()) {
    if (channel_->GetState(/*try_to_connect=*/true) == GRPC_CHANNEL_READY) {
      CallOnce();
      stop.WaitForNotificationWithTimeout(options_.pause);
    } else {
      channel_->WaitForConnected(std::chrono::system_clock::now() + std::chrono::milliseconds(50));
    }
  }
}

void Caller::CallOnce() {
  const size_t index = random_() % options_.keys();
  const std::string key = options_.prefix + std::to_string(index);
  const bool counts = index >= options_.values;
  const uint32_t choice = random_() % 16;
  ObservedCall call;
  if (choice < 8) {
    Get(key, &call);
  } else if (counts) {
    Incr(key, &call);
  } else if (choice < 15) {
    Set(key, &call);
  } else {
    Delete(key, &call);
  }
  observed_[index].push_back(call);
}

void Caller::Get(const std::string& key, ObservedCall* call) {
  call->call.kind = CallKind::kGet;
  v1::GetRequest request;
  request.set_key(key);
  v1::GetResponse response;
  if (!Make(&v1::CacheService::StubInterface::Get, request, &response, call)) return;
  call->call.done = response.found();
  call->call.version = response.version();
  // A counter has no padding.
  const bool padded = response.value().find('.') != std::string::npos;
  if (response.found()) call->call.value = NumberIn(response.value(), padded ? kPadding : 0);
}

void Caller::Set(const std::string& key, ObservedCall* call) {
  call->call.kind = CallKind::kSet;
  call->call.value = first_value_ + written_++;
  v1::SetRequest request;
  request.set_key(key);
  request.set_value(TextOf(call->call.value));
  v1::SetResponse response;
  if (!Make(&v1::CacheService::StubInterface::Set, request, &response, call)) return;
  call->call.done = true;
  call->call.version = response.version();
}

void Caller::Delete(const std::string& key, ObservedCall* call) {
  call->call.kind = CallKind::kDelete;
  v1::DeleteRequest request;
  request.set_key(key);
  v1::DeleteResponse response;
  if (!Make(&v1::CacheService::StubInterface::Delete, request, &response, call)) return;
  call->call.done = response.deleted();
  call->call.version = response.version();
}

void Caller::Incr(const std::string& key, ObservedCall* call) {
  call->call.kind = CallKind::kIncr;
  call->call.argument = 1;
  v1::IncrRequest request;
  request.set_key(key);
  v1::IncrResponse response;
  if (!Make(&v1::CacheService::StubInterface::Incr, request, &response, call)) return;
  call->call.done = true;
  call->call.value = static_cast<uint64_t>(response.value());
  call->call.version = response.version();
}

template <typename Request, typename Response>
bool Caller::Make(Method<Request, Response> method, const Request& request, Response* response,
                  ObservedCall* call) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + options_.timeout));
  call->call.begin_ns = ElapsedNs(options_);
  const grpc::Status status = (stub_.get()->*method)(&context, request, response);
  call->call.end_ns = ElapsedNs(options_);
  if (!status.ok()) NoteFailure(status, call);
  return status.ok();
}

void Caller::NoteFailure(const grpc::Status& status, ObservedCall* call) {
  const google::rpc::ErrorInfo info = InfoOf(status);
  call->outcome = SaysNothingWasDone(info) ? Outcome::kNothingDone : Outcome::kUnknown;
  std::string reason = info.reason();
  if (reason.empty())
    reason = status.error_code() == grpc::DEADLINE_EXCEEDED ? "deadline" : "connection";
  ++failures_[reason];
}

}  // namespace ferrite
