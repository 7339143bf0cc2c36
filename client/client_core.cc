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

}  // namespace

Client::Core::Core(const ClientOptions& options)
    : options_(options),
      slots_(std::make_shared<const SlotMap>(SlotMap::SingleNode(options.seeds.front()))) {
  for (uint32_t node = 0; node < slots_->node_count(); ++node) {
    nodes_.push_back(
        std::make_shared<RemoteNode>(slots_->node_address(node), options_.channels_per_node));
  }
  for (int i = 0; i < options_.completion_threads; ++i) {
    threads_.push_back(std::make_unique<CompletionThread>());
  }
  if (!options_.batching.enabled) return;
  for (const std::shared_ptr<RemoteNode>& node : nodes_) {
    pipelines_.push_back(
        std::make_unique<NodePipeline>(node, threads_, options_.batching.max_frames_in_flight));
  }
}

Client::Core::~Core() {
  // Everything refuses new calls first, as the callback of a call that ends may start another of
  // any kind.
  for (const std::unique_ptr<CompletionThread>& thread : threads_) thread->Refuse();
  for (const std::unique_ptr<NodePipeline>& pipeline : pipelines_) pipeline->Close();
  for (const std::unique_ptr<NodePipeline>& pipeline : pipelines_) pipeline->AwaitEnd();
  for (const std::unique_ptr<CompletionThread>& thread : threads_) thread->Close();
}

std::shared_ptr<SubscriptionStream> Client::Core::StartSubscription(
    v1::SubscribeRequest request, std::shared_ptr<EventReceiver> receiver) {
  // For now there is one node, which has every channel and key.
  return SubscriptionStream::Start(NextThread(), nodes_.front(), options_.retry, std::move(request),
                                   std::move(receiver));
}

CallTerms Client::Core::Terms(bool repeatable, const CallOptions& options) const {
  const absl::Duration timeout = std::clamp(options.timeout.value_or(options_.default_timeout),
                                            absl::ZeroDuration(), kMaxTimeout);
  return {.node = nullptr,
          .timeout = timeout,
          .deadline = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(timeout),
          .retry = options_.retry,
          .repeatable = repeatable,
          .cancellation = options.cancellation,
          .traceparent = IsSendable(options.traceparent) ? options.traceparent : ""};
}

CallTerms Client::Core::TermsAt(uint32_t node, bool repeatable, const CallOptions& options) const {
  CallTerms terms = Terms(repeatable, options);
  terms.node = nodes_[node];
  return terms;
}

CompletionThread* Client::Core::NextThread() {
  return threads_[turn_.fetch_add(1, std::memory_order_relaxed) % threads_.size()].get();
}

absl::Status Client::Core::NobodyOwnsTheKey() {
  return absl::UnavailableError("no node of the cache owns the slot of this key at the moment");
}

}  // namespace ferrite
