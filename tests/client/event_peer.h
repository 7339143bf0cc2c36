#pragma once

// A gRPC server whose Subscribe streams follow scripts. Every Get is a miss.

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ferrite/v1/cache.grpc.pb.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"

namespace ferrite {

// What a server says that ends streams for now.
inline const grpc::Status kNotNow(grpc::StatusCode::UNAVAILABLE, "not now");

// A message of a channel, with its payload as its token.
inline v1::SubscriptionEvent MessageOf(const std::string& payload) {
  v1::SubscriptionEvent event;
  event.set_resume_token(payload);
  event.mutable_message()->set_channel("c");
  event.mutable_message()->set_payload(payload);
  return event;
}

inline v1::SubscriptionEvent AcknowledgementOf(const std::string& token, bool resumed = false) {
  v1::SubscriptionEvent event;
  event.set_resume_token(token);
  event.mutable_acknowledgement()->set_resumed(resumed);
  return event;
}

// One stream: each list of events travels in a message of its own.
struct StreamScript {
  std::vector<std::vector<v1::SubscriptionEvent>> messages;
  // The status that ends the stream; absent: it stays open and silent.
  std::optional<grpc::Status> end;
  std::string pushback;  // sent as grpc-retry-pushback-ms, unless empty
};

// Thread-safe.
class EventPeer final : public v1::CacheService::Service {
 public:
  EventPeer() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~EventPeer() override {
    server_->Shutdown(std::chrono::system_clock::now());
    // Its calls are over, but the thread sanitizer only sees that by this lock.
    const std::lock_guard lock(mutex_);
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  // The next streams follow these scripts, one each; those after them are acknowledged and stay
  // open.
  void Expect(std::vector<StreamScript> scripts) {
    const std::lock_guard lock(mutex_);
    scripts_.assign(scripts.begin(), scripts.end());
  }

  // Waits until `count` streams have begun in all.
  void AwaitStreams(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return requests_.size() >= count; });
  }
  std::vector<v1::SubscribeRequest> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  // Waits until gRPC has taken `count` messages for its clients in all.
  void AwaitWritten(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return written_ >= count; });
  }

  grpc::Status Get(grpc::ServerContext*, const v1::GetRequest*, v1::GetResponse*) override {
    return grpc::Status::OK;
  }

  grpc::Status Subscribe(grpc::ServerContext* context, const v1::SubscribeRequest* request,
                         grpc::ServerWriter<v1::SubscribeResponse>* writer) override {
    const StreamScript script = Begin(*request);
    for (const std::vector<v1::SubscriptionEvent>& events : script.messages) {
      v1::SubscribeResponse message;
      for (const v1::SubscriptionEvent& event : events) *message.add_events() = event;
      if (!writer->Write(message)) return grpc::Status::CANCELLED;
      const std::lock_guard lock(mutex_);
      ++written_;
      changed_.notify_all();
    }
    if (!script.pushback.empty()) {
      context->AddTrailingMetadata("grpc-retry-pushback-ms", script.pushback);
    }
    if (script.end.has_value()) return *script.end;
    std::unique_lock lock(mutex_);
    while (!context->IsCancelled()) changed_.wait_for(lock, std::chrono::milliseconds(10));
    return grpc::Status::CANCELLED;
  }

 private:
  StreamScript Begin(const v1::SubscribeRequest& request) {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
    changed_.notify_all();
    if (scripts_.empty()) {
      return {.messages = {{AcknowledgementOf("ack " + std::to_string(requests_.size()))}}};
    }
    StreamScript script = std::move(scripts_.front());
    scripts_.pop_front();
    return script;
  }

  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<StreamScript> scripts_;
  std::vector<v1::SubscribeRequest> requests_;
  size_t written_ = 0;
};

}  // namespace ferrite
