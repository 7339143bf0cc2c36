#pragma once

// What is behind a Client: the slot map, the nodes, the completion threads, and the routing of
// requests.

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/batch_call.h"
#include "client/client.h"
#include "client/pipeline/node_pipeline.h"
#include "client/pipeline/operation_call.h"
#include "client/repeatable.h"
#include "client/slot_map.h"
#include "client/subscription/subscription_stream.h"
#include "client/unary_call.h"

namespace ferrite {

class Client::Core {
 public:
  explicit Core(const ClientOptions& options);
  // As ~Client.
  ~Core();

  // Sends a request about one key or channel to the node that owns it, in a frame with others if
  // possible.
  template <class Request, class Response>
  void CallOwner(PrepareFunction<Request, Response> prepare, Request request,
                 const CallOptions& options, Callback<Response> done) {
    const std::optional<uint32_t> node = slots_->NodeOf(RoutingKey(request));
    if (node.has_value() && !pipelines_.empty()) {
      NodePipeline& pipeline = *pipelines_[*node];
      if (pipeline.Takes(request.ByteSizeLong())) {
        return pipeline.Start(std::make_unique<OperationCall<Request, Response>>(
            Terms(IsRepeatable(request), options), prepare, std::move(request), std::move(done)));
      }
    }
    CallNode(prepare, node, std::move(request), options, std::move(done), kAboutKeys);
  }

  // Sends each part of a batch to the node that owns its keys.
  template <class Request, class Response>
  void CallOwners(PrepareFunction<Request, Response> prepare, Request request,
                  const CallOptions& options, Callback<Response> done) {
    const int count = BatchItems(request).size();
    std::vector<BatchPart> parts = SplitByNode(
        *slots_, count, [&](int i) -> std::string_view { return KeyOf(BatchItems(request)[i]); });
    if (parts.empty()) {  // the server reports what is wrong with it
      parts.push_back({.node = 0, .positions = {}});
    }
    if (parts.size() == 1) {
      CallNode(prepare, parts[0].node, std::move(request), options,
               CheckCount(count, std::move(done)), kAboutKeys);
      return;
    }
    auto batch = std::make_shared<BatchCall<Response>>(count, static_cast<int>(parts.size()),
                                                       std::move(done));
    for (BatchPart& part : parts) {
      Request part_request = TakeItems(request, part.positions);
      const int part_count = static_cast<int>(part.positions.size());
      CallNode(prepare, part.node, std::move(part_request), options,
               CheckCount<Response>(part_count,
                                    [batch, positions = std::move(part.positions)](auto answer) {
                                      batch->EndPart(positions, std::move(answer));
                                    }),
               kAboutKeys);
    }
  }

  // Sends a request to a given node. Absent: nobody owns the key; the call fails.
  template <class Request, class Response>
  void CallNode(PrepareFunction<Request, Response> prepare, std::optional<uint32_t> node,
                Request request, const CallOptions& options, Callback<Response> done,
                bool is_about_keys = false) {
    if (!node.has_value()) return done(NobodyOwnsTheKey());
    CallTerms terms = TermsAt(*node, IsRepeatable(request), options);
    terms.is_about_keys = is_about_keys;
    (new UnaryCall<Request, Response>(NextThread(), std::move(terms), prepare, std::move(request),
                                      std::move(done)))
        ->Start();
  }

  std::shared_ptr<SubscriptionStream> StartSubscription(v1::SubscribeRequest request,
                                                        std::shared_ptr<EventReceiver> receiver);

  CallTerms TermsAt(uint32_t node, bool repeatable, const CallOptions& options) const;

  // The thread for the next call; threads take turns.
  CompletionThread* NextThread();

 private:
  static constexpr bool kAboutKeys = true;  // CallTerms::is_about_keys

  // What decides which node a request goes to.
  template <class Request>
  static const std::string& RoutingKey(const Request& request) {
    return request.key();
  }
  static const std::string& RoutingKey(const v1::PublishRequest& request) {
    return request.channel();
  }

  // Replaces an answer that does not have `count` items by an error.
  template <class Response>
  static Callback<Response> CheckCount(int count, Callback<Response> done) {
    return [count, done = std::move(done)](absl::StatusOr<Response> answer) mutable {
      if (answer.ok() && BatchItems(*answer).size() != count) {
        answer =
            absl::InternalError(absl::StrCat("the server answered ", BatchItems(*answer).size(),
                                             " of ", count, " items of a batch"));
      }
      done(std::move(answer));
    };
  }
  static absl::Status NobodyOwnsTheKey();

  // Without a node yet.
  CallTerms Terms(bool repeatable, const CallOptions& options) const;

  const ClientOptions options_;
  // Immutable; a change of the cluster will replace it.
  const std::shared_ptr<const SlotMap> slots_;
  std::vector<std::shared_ptr<RemoteNode>> nodes_;  // numbered as in slots_
  std::vector<std::unique_ptr<CompletionThread>> threads_;
  std::vector<std::unique_ptr<NodePipeline>>
      pipelines_;  // numbered as nodes_; empty: batching is off
  std::atomic<size_t> turn_{0};
};

}  // namespace ferrite
