#include "client/client_core.h"

#include <algorithm>
#include <chrono>
#include <string_view>

namespace ferrite {
namespace {

// The longest timeout; a call that asks for more gets this. It keeps arithmetic on times in range.
constexpr absl::Duration kMaxTimeout = absl::Hours(24);

// Today's version of W3C's `traceparent` has 55 bytes.
constexpr size_t kLongestTraceparent = 256;

// gRPC ends the process over metadata that HTTP/2 does not allow, and servers refuse calls with too
// much of it.
bool IsSendable(std::string_view text) {
  return text.size() <= kLongestTraceparent &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

std::vector<std::unique_ptr<CompletionThread>> MakeThreads(int count) {
  std::vector<std::unique_ptr<CompletionThread>> threads;
  for (int i = 0; i < count; ++i) threads.push_back(std::make_unique<CompletionThread>());
  return threads;
}

}  // namespace

Client::Core::Core(const ClientOptions& options, Credentials credentials)
    : options_(options),
      credentials_(std::move(credentials)),
      threads_(MakeThreads(options.completion_threads)),
      nodes_(options_, credentials_, threads_) {}

Client::Core::~Core() {
  // Everything refuses new calls first, as the callback of a call that ends may start another of
  // any kind.
  for (const std::unique_ptr<CompletionThread>& thread : threads_) thread->Refuse();
  nodes_.Close();
  nodes_.AwaitEnd();
  for (const std::unique_ptr<CompletionThread>& thread : threads_) thread->Close();
}

std::shared_ptr<SubscriptionStream> Client::Core::StartSubscription(
    v1::SubscribeRequest request, std::shared_ptr<EventReceiver> receiver) {
  return SubscriptionStream::Start(NextThread(), &nodes_, options_.retry, std::move(request),
                                   std::move(receiver));
}

CallTerms Client::Core::Terms(bool repeatable, const CallOptions& options, CallRoute route) {
  const absl::Duration timeout = std::clamp(options.timeout.value_or(options_.default_timeout),
                                            absl::ZeroDuration(), kMaxTimeout);
  return {.nodes = &nodes_,
          .route = std::move(route),
          .timeout = timeout,
          .deadline = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(timeout),
          .retry = options_.retry,
          .repeatable = repeatable,
          .cancellation = options.cancellation,
          .traceparent = IsSendable(options.traceparent) ? options.traceparent : ""};
}

CompletionThread* Client::Core::NextThread() {
  return threads_[turn_.fetch_add(1, std::memory_order_relaxed) % threads_.size()].get();
}

}  // namespace ferrite
