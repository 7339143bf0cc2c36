#pragma once

// What is behind a Client: the nodes, the completion threads, and the routing of requests.

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
#include "client/subscription/subscription_stream.h"
#include "client/topology/node_directory.h"
#include "client/unary_call.h"
#include "proto/slot.h"

namespace ferrite {

class Client::Core {
 public:
  Core(const ClientOptions& options, Credentials credentials);
  // As ~Client.
  ~Core();

  // Sends a request about one key or channel to the node that owns it, in a frame with others if
  // possible.
  template <class Request, class Response>
  void CallOwner(PrepareFunction<Request, Response> prepare, Request request,
                 const CallOptions& options, Callback<Response> done) {
    CallTerms terms = Terms(IsRepeatable(request), options,
                            {.to = CallRoute::To::kOwner, .slot = SlotOf(RoutingKey(request))});
    if (options_.batching.enabled) {
      const Placement place = nodes_.Place(terms.route);
      NodePipeline& pipeline = place.node->pipeline(place.direct);
      if (pipeline.Takes(request.ByteSizeLong())) {
        auto refused = pipeline.Start(std::make_unique<OperationCall<Request, Response>>(
            std::move(terms), prepare, std::move(request), std::move(done)));
        if (refused != nullptr) nodes_.Resend(std::move(refused));
        return;
      }
    }
    terms.is_about_keys = true;
    StartCall(prepare, std::move(terms), std::move(request), std::move(done));
  }

  // Sends each part of a batch to the node that owns its keys.
  template <class Request, class Response>
  void CallOwners(PrepareFunction<Request, Response> prepare, Request request,
                  const CallOptions& options, Callback<Response> done) {
    CallTerms terms = Terms(IsRepeatable(request), options, {.to = CallRoute::To::kAny});
    terms.is_about_keys = true;
    const int count = BatchItems(request).size();
    // What is wrong with an empty one, the server says.
    if (nodes_.Place(terms.route).picture == nullptr || count == 0) {
      return StartCall(prepare, std::move(terms), std::move(request),
                       CheckCount(count, std::move(done)));
    }
    using Batch = BatchCall<Request, Response>;
    Batch::Start(
        std::move(request), terms,
        {.picture = [this] { return nodes_.picture(); },
         .send =
             [this, prepare](CallTerms part_terms, Request part, Callback<Response> part_done) {
               const int part_count = BatchItems(part).size();
               StartCall(prepare, std::move(part_terms), std::move(part),
                         CheckCount(part_count, std::move(part_done)));
             }},
        std::move(done));
  }

  // Sends a request that reads something of a node to the first seed that can be reached.
  template <class Request, class Response>
  void AskNode(PrepareFunction<Request, Response> prepare, Request request,
               const CallOptions& options, Callback<Response> done) {
    CallTerms terms = Terms(IsRepeatable(request), options, {.to = CallRoute::To::kSeed});
    StartCall(prepare, std::move(terms), std::move(request), std::move(done));
  }

  // Sends a request that changes a node to the first seed: another node is not meant.
  template <class Request, class Response>
  void ChangeNode(PrepareFunction<Request, Response> prepare, Request request,
                  const CallOptions& options, Callback<Response> done) {
    CallTerms terms = Terms(IsRepeatable(request), options, {.to = CallRoute::To::kFirstSeed});
    StartCall(prepare, std::move(terms), std::move(request), std::move(done));
  }

  std::shared_ptr<SubscriptionStream> StartSubscription(v1::SubscribeRequest request,
                                                        std::shared_ptr<EventReceiver> receiver);

  CallTerms Terms(bool repeatable, const CallOptions& options, CallRoute route);

  // The thread for the next call; threads take turns.
  CompletionThread* NextThread();

 private:
  // What decides which node a request goes to.
  template <class Request>
  static const std::string& RoutingKey(const Request& request) {
    return request.key();
  }
  static const std::string& RoutingKey(const v1::PublishRequest& request) {
    return request.channel();
  }

  template <class Request, class Response>
  void StartCall(PrepareFunction<Request, Response> prepare, CallTerms terms, Request request,
                 Callback<Response> done) {
    (new UnaryCall<Request, Response>(NextThread(), std::move(terms), prepare, std::move(request),
                                      std::move(done)))
        ->Start();
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

  const ClientOptions options_;
  const Credentials credentials_;
  std::vector<std::unique_ptr<CompletionThread>> threads_;
  NodeDirectory nodes_;
  std::atomic<size_t> turn_{0};
};

}  // namespace ferrite
