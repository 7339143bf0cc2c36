#pragma once

// A gRPC server that fails on command, as the real one cannot. It speaks the real protocol over a
// real socket; only its answers come from the test.

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "ferrite/v1/cache.grpc.pb.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"

namespace ferrite {

// What the peer does with one call.
struct Script {
  grpc::Status status;
  // Sent as grpc-retry-pushback-ms, unless empty.
  std::string pushback;
  // Wait for Release() before answering.
  bool hold = false;
};

// Thread-safe.
class ScriptedPeer final : public v1::CacheService::Service {
 public:
  explicit ScriptedPeer(const std::string& address = "127.0.0.1:0") {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~ScriptedPeer() override {
    Release();
    server_->Shutdown();
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  // The next calls follow these scripts, one each; those after them succeed.
  void Expect(std::vector<Script> scripts) {
    const std::lock_guard lock(mutex_);
    scripts_.assign(scripts.begin(), scripts.end());
  }

  // Waits until `count` calls have arrived in all.
  void AwaitCalls(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return calls_ >= count; });
  }
  size_t calls() {
    const std::lock_guard lock(mutex_);
    return calls_;
  }

  // Lets the calls that are held continue.
  void Release() {
    const std::lock_guard lock(mutex_);
    released_ = true;
    changed_.notify_all();
  }

  std::vector<v1::IncrRequest> incr_requests() {
    const std::lock_guard lock(mutex_);
    return incr_requests_;
  }
  std::vector<v1::ScanRequest> scan_requests() {
    const std::lock_guard lock(mutex_);
    return scan_requests_;
  }

  grpc::Status Get(grpc::ServerContext* context, const v1::GetRequest* request,
                   v1::GetResponse* response) override {
    response->set_value("of " + request->key());
    return Follow(context);
  }
  grpc::Status Set(grpc::ServerContext* context, const v1::SetRequest*,
                   v1::SetResponse* response) override {
    response->set_stored(true);
    return Follow(context);
  }
  grpc::Status Incr(grpc::ServerContext* context, const v1::IncrRequest* request,
                    v1::IncrResponse*) override {
    {
      const std::lock_guard lock(mutex_);
      incr_requests_.push_back(*request);
    }
    return Follow(context);
  }
  // Answers with no results, whatever the request.
  grpc::Status MGet(grpc::ServerContext* context, const v1::MGetRequest*,
                    v1::MGetResponse*) override {
    return Follow(context);
  }
  // Sends the keys "0" to "9", one in a message, from the one that the cursor names; "4" is the
  // last before it follows its script.
  grpc::Status Scan(grpc::ServerContext* context, const v1::ScanRequest* request,
                    grpc::ServerWriter<v1::ScanResponse>* writer) override {
    {
      const std::lock_guard lock(mutex_);
      scan_requests_.push_back(*request);
    }
    const int first = request->cursor().empty() ? 0 : std::stoi(request->cursor());
    for (int i = first; i < 10; ++i) {
      if (i == 5) {
        if (grpc::Status status = Follow(context); !status.ok()) return status;
      }
      v1::ScanResponse message;
      message.add_entries()->set_key(std::to_string(i));
      if (i < 9) message.set_cursor(std::to_string(i + 1));
      writer->Write(message);
      if (request->limit() != 0 && i + 1 == first + static_cast<int>(request->limit())) break;
    }
    return grpc::Status::OK;
  }

 private:
  grpc::Status Follow(grpc::ServerContext* context) {
    std::unique_lock lock(mutex_);
    ++calls_;
    changed_.notify_all();
    Script script;
    if (!scripts_.empty()) {
      script = scripts_.front();
      scripts_.pop_front();
    }
    if (script.hold) changed_.wait(lock, [&] { return released_; });
    if (!script.pushback.empty()) {
      context->AddTrailingMetadata("grpc-retry-pushback-ms", script.pushback);
    }
    return script.status;
  }

  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Script> scripts_;
  size_t calls_ = 0;
  bool released_ = false;
  std::vector<v1::IncrRequest> incr_requests_;
  std::vector<v1::ScanRequest> scan_requests_;
};

}  // namespace ferrite
