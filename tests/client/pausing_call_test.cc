// Calls that pause before their first try, as those of a batch do, and may end on their thread
// while the one that starts them still is about to. What is wrong with that, the thread sanitizer
// sees.

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <vector>

#include "client/client_call.h"

namespace ferrite {
namespace {

// Its node takes few calls, so most end without a try.
class PausingCall final : public ClientCall {
 public:
  PausingCall(CompletionThread* thread, CallTerms terms, std::atomic<int>* ended)
      : ClientCall(thread, std::move(terms)), ended_(*ended), queue_(thread->queue()) {}

 private:
  void StartTry(grpc::ClientContext*, NodeConnection&, grpc::CompletionQueue*) override {
    HandOver();
    try_.Set(queue_, gpr_inf_past(GPR_CLOCK_MONOTONIC), static_cast<CallTag*>(this));
  }
  std::optional<grpc::Status> OnEvent(bool) override { return grpc::Status::OK; }
  void Deliver(absl::Status) override {
    ended_.fetch_add(1);
    ended_.notify_one();
  }

  std::atomic<int>& ended_;
  grpc::CompletionQueue* const queue_;
  grpc::Alarm try_;
};

TEST(PausingCallTest, MayEndBeforeItsStarterIsThrough) {
  constexpr int kCalls = 200;
  const ClientOptions options = {.seeds = {"127.0.0.1:1"}, .routing = RoutingMode::kAnyNode};
  std::vector<std::unique_ptr<CompletionThread>> threads;
  threads.push_back(std::make_unique<CompletionThread>());
  std::atomic<int> ended{0};
  {
    const Credentials credentials;
    NodeDirectory nodes(options, credentials, threads);
    CallTerms terms = {.nodes = &nodes, .timeout = absl::Hours(1), .is_about_keys = true};
    terms.deadline = std::chrono::steady_clock::now() + std::chrono::hours(1);
    terms.pause = absl::Nanoseconds(1);
    Acceptance& acceptance = nodes.Place(terms.route).remote().acceptance();
    for (int i = 0; i < kCalls; ++i) {
      for (int refused = 0; refused < 100; ++refused) {
        acceptance.Refused(std::chrono::steady_clock::now());
      }
      (new PausingCall(threads[0].get(), terms, &ended))->Start();
      // Nothing that is done for the next call may order what is done with this one.
      ended.wait(i);
    }
    for (const auto& thread : threads) thread->Refuse();
    nodes.Close();
    nodes.AwaitEnd();
    for (const auto& thread : threads) thread->Close();
  }
  EXPECT_EQ(ended, kCalls);
}

}  // namespace
}  // namespace ferrite
