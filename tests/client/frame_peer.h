#pragma once

// A gRPC server that reads Pipeline frames and answers when it is told to.

#include <atomic>
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

// Thread-safe.
class FramePeer final : public v1::CacheService::Service {
 public:
  FramePeer() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~FramePeer() override {
    Release();
    server_->Shutdown(std::chrono::system_clock::now());
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  // Streams that hold a frame, and the next one that gets one, end with `status`, and with
  // `pushback` as grpc-retry-pushback-ms unless it is empty.
  void Break(const grpc::Status& status, const std::string& pushback = "") {
    const std::lock_guard lock(mutex_);
    break_ = status;
    pushback_ = pushback;
    changed_.notify_all();
  }
  // The next frame is answered twice, the first time with nothing in it.
  void AnswerTwice() { answer_twice_ = true; }
  // The next operations fail, one after the other, with these errors.
  void Refuse(const std::vector<v1::OperationError>& errors) {
    const std::lock_guard lock(mutex_);
    errors_.assign(errors.begin(), errors.end());
  }
  // One more frame is answered.
  void AnswerOne() {
    const std::lock_guard lock(mutex_);
    ++answers_;
    changed_.notify_all();
  }
  // Frames are answered from now on.
  void Release() {
    const std::lock_guard lock(mutex_);
    released_ = true;
    changed_.notify_all();
  }

  // Waits until `count` frames have come in all.
  void AwaitFrames(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return frames_.size() >= count; });
  }
  // The keys of a frame, one after the other.
  std::string KeysOf(size_t frame) {
    const std::lock_guard lock(mutex_);
    std::string keys;
    for (const v1::Operation& operation : frames_[frame].operations()) {
      keys += operation.has_get() ? operation.get().key() : operation.incr().key();
    }
    return keys;
  }
  v1::PipelineRequest frame(size_t number) {
    const std::lock_guard lock(mutex_);
    return frames_[number];
  }
  size_t frames() {
    const std::lock_guard lock(mutex_);
    return frames_.size();
  }

  grpc::Status Pipeline(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<v1::PipelineResponse, v1::PipelineRequest>* stream) override {
    v1::PipelineRequest frame;
    while (stream->Read(&frame)) {
      if (std::optional<grpc::Status> end = Hold(context, frame)) return *end;
      if (answer_twice_.exchange(false)) stream->Write(v1::PipelineResponse());
      v1::PipelineResponse reply;
      for (const v1::Operation& operation : frame.operations()) {
        v1::OperationResult* result = reply.add_results();
        if (std::optional<v1::OperationError> error = NextError()) {
          *result->mutable_error() = *std::move(error);
        } else if (operation.has_get()) {
          result->mutable_get()->set_value("of " + operation.get().key());
        } else {
          result->mutable_incr()->set_value(1);
        }
      }
      stream->Write(reply);
    }
    return grpc::Status::OK;
  }

 private:
  std::optional<v1::OperationError> NextError() {
    const std::lock_guard lock(mutex_);
    if (errors_.empty()) return std::nullopt;
    v1::OperationError error = std::move(errors_.front());
    errors_.pop_front();
    return error;
  }

  // Records the frame and waits until it may be answered; otherwise returns the status that ends
  // the stream.
  std::optional<grpc::Status> Hold(grpc::ServerContext* context, const v1::PipelineRequest& frame) {
    std::unique_lock lock(mutex_);
    frames_.push_back(frame);
    changed_.notify_all();
    while (!released_ && answers_ == 0 && !break_.has_value()) {
      changed_.wait_for(lock, std::chrono::milliseconds(10));
      if (context->IsCancelled()) return grpc::Status::CANCELLED;
    }
    if (answers_ > 0) --answers_;
    std::optional<grpc::Status> end;
    end.swap(break_);
    if (end.has_value() && !pushback_.empty()) {
      context->AddTrailingMetadata("grpc-retry-pushback-ms", pushback_);
    }
    return end;
  }

  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<v1::PipelineRequest> frames_;
  std::deque<v1::OperationError> errors_;
  std::optional<grpc::Status> break_;
  std::string pushback_;
  size_t answers_ = 0;  // frames that may be answered before Release()
  bool released_ = false;
  std::atomic<bool> answer_twice_{false};
};

}  // namespace ferrite
