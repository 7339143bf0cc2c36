#include "tests/chaos/caller.h"

#include <charconv>
#include <chrono>
#include <limits>
#include <utility>

namespace ferrite {
namespace {

// What a value is recorded as that nobody can have written.
constexpr uint64_t kTornValue = std::numeric_limits<uint64_t>::max();
// Makes a value longer than what fits beside its key.
constexpr size_t kPadding = 100;

std::string TextOf(uint64_t value) { return std::to_string(value) + std::string(kPadding, '.'); }

uint64_t NumberIn(const std::string& text, size_t padding) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view rest(end, static_cast<size_t>(text.data() + text.size() - end));
  return error == std::errc() && rest == std::string(padding, '.') ? value : kTornValue;
}

}  // namespace

int64_t ElapsedNs(const CallerOptions& options) {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count() - options.start_ns;
}

Caller::Caller(const CallerOptions& options, std::unique_ptr<KeyService> service, uint32_t number)
    : options_(options),
      service_(std::move(service)),
      first_value_(uint64_t{number + 1} << 32),
      random_(number),
      observed_(options.keys()) {}

void Caller::Run(const absl::Notification& stop) {
  while (!stop.HasBeenNotified()) {
    if (!service_->Ready()) continue;
    CallOnce();
    stop.WaitForNotificationWithTimeout(options_.pause);
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
  if (!Make(request, &response, call)) return;
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
  call->may_repeat = service_->RepeatsSets();
  if (!Make(request, &response, call)) return;
  call->call.done = true;
  call->call.version = response.version();
}

void Caller::Delete(const std::string& key, ObservedCall* call) {
  call->call.kind = CallKind::kDelete;
  v1::DeleteRequest request;
  request.set_key(key);
  v1::DeleteResponse response;
  if (!Make(request, &response, call)) return;
  call->call.done = response.deleted();
  call->call.version = response.version();
}

void Caller::Incr(const std::string& key, ObservedCall* call) {
  call->call.kind = CallKind::kIncr;
  call->call.argument = 1;
  v1::IncrRequest request;
  request.set_key(key);
  v1::IncrResponse response;
  if (!Make(request, &response, call)) return;
  call->call.done = true;
  call->call.value = static_cast<uint64_t>(response.value());
  call->call.version = response.version();
}

template <typename Request, typename Response>
bool Caller::Make(const Request& request, Response* response, ObservedCall* call) {
  call->call.begin_ns = ElapsedNs(options_);
  const std::optional<CallFailure> failure = service_->Call(request, response);
  call->call.end_ns = ElapsedNs(options_);
  if (!failure.has_value()) return true;
  // A read never does anything.
  const bool nothing = failure->nothing_was_done || call->call.kind == CallKind::kGet;
  call->outcome = nothing ? Outcome::kNothingDone : Outcome::kUnknown;
  ++failures_[failure->reason];
  return false;
}

}  // namespace ferrite
