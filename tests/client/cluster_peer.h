#pragma once

// A gRPC server that says of a cluster what the test wants, and answers calls as a node of it
// would. It speaks the real protocol over a real socket.

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ferrite/v1/admin.grpc.pb.h"
#include "ferrite/v1/cache.grpc.pb.h"
#include "ferrite/v1/cluster.grpc.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"

namespace ferrite {

// Thread-safe.
class ClusterPeer {
 public:
  // What it does with one key; absent: it answers with its address.
  using Refusal = std::function<std::optional<v1::OperationError>(const std::string& key)>;

  ClusterPeer() { Start("127.0.0.1:0"); }
  ~ClusterPeer() { Stop(); }

  const std::string& address() const { return address_; }

  // Ends it as a crash would; Restart() is the next process at its address.
  void Stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      changed_.notify_all();
    }
    if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
    server_.reset();
  }
  void Restart() { Start(address_); }

  // Whoever watches is told this from now on.
  void Tell(const v1::Topology& topology) {
    const std::lock_guard lock(mutex_);
    topology_ = topology;
    ++topologies_;
    changed_.notify_all();
  }
  void Refuse(Refusal refusal) {
    const std::lock_guard lock(mutex_);
    refusal_ = std::move(refusal);
  }
  // Calls are not answered until Release().
  void Hold() {
    const std::lock_guard lock(mutex_);
    held_ = true;
  }
  void Release() {
    const std::lock_guard lock(mutex_);
    held_ = false;
    changed_.notify_all();
  }

  // Keys that came with the metadata of who routes by slot, and those that came without.
  std::vector<std::string> direct_keys() const { return Copy(direct_keys_); }
  std::vector<std::string> other_keys() const { return Copy(other_keys_); }
  void AwaitKeys(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return direct_keys_.size() + other_keys_.size() >= count; });
  }
  // Until so many watch the topology, or have done so.
  void AwaitWatchers(int now) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return watchers_ == now; });
  }
  void AwaitWatched(int ever) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return watched_ >= ever; });
  }
  // How often it was flushed, given a setting, or had its slow calls forgotten.
  int changes() const {
    const std::lock_guard lock(mutex_);
    return changes_;
  }
  int watched() const {
    const std::lock_guard lock(mutex_);
    return watched_;
  }

 private:
  class Cache final : public v1::CacheService::Service {
   public:
    explicit Cache(ClusterPeer* peer) : peer_(*peer) {}

    grpc::Status Get(grpc::ServerContext* context, const v1::GetRequest* request,
                     v1::GetResponse* response) override {
      const auto error = peer_.Take(*context, request->key());
      response->set_value(peer_.address_);
      return StatusOf(error);
    }
    grpc::Status Incr(grpc::ServerContext* context, const v1::IncrRequest* request,
                      v1::IncrResponse*) override {
      return StatusOf(peer_.Take(*context, request->key()));
    }
    grpc::Status MGet(grpc::ServerContext* context, const v1::MGetRequest* request,
                      v1::MGetResponse* response) override {
      for (int i = 0; i < request->keys_size(); ++i) {
        const auto error = peer_.Take(*context, request->keys(i));
        v1::GetResponse* const result = response->add_results();
        if (!error.has_value()) {
          result->set_value(peer_.address_);
          continue;
        }
        v1::KeyError* const failed = response->add_errors();
        failed->set_index(i);
        *failed->mutable_error() = *error;
      }
      return grpc::Status::OK;
    }
    grpc::Status Pipeline(
        grpc::ServerContext* context,
        grpc::ServerReaderWriter<v1::PipelineResponse, v1::PipelineRequest>* stream) override {
      v1::PipelineRequest frame;
      while (stream->Read(&frame)) {
        v1::PipelineResponse reply;
        for (const v1::Operation& operation : frame.operations()) {
          const std::string& key =
              operation.has_get() ? operation.get().key() : operation.incr().key();
          v1::OperationResult* const result = reply.add_results();
          if (const auto error = peer_.Take(*context, key)) {
            *result->mutable_error() = *error;
          } else if (operation.has_get()) {
            result->mutable_get()->set_value(peer_.address_);
          } else {
            result->mutable_incr()->set_value(1);
          }
        }
        stream->Write(reply);
      }
      return grpc::Status::OK;
    }

   private:
    ClusterPeer& peer_;
  };

  // Info tells its address as its version.
  class Admin final : public v1::AdminService::Service {
   public:
    explicit Admin(ClusterPeer* peer) : peer_(*peer) {}

    grpc::Status Info(grpc::ServerContext*, const v1::InfoRequest*,
                      v1::InfoResponse* response) override {
      response->set_version(peer_.address_);
      return grpc::Status::OK;
    }
    grpc::Status Flush(grpc::ServerContext*, const v1::FlushRequest*, v1::FlushResponse*) override {
      return peer_.Change();
    }
    grpc::Status SetConfig(grpc::ServerContext*, const v1::SetConfigRequest*,
                           v1::SetConfigResponse*) override {
      return peer_.Change();
    }
    grpc::Status ResetSlowLog(grpc::ServerContext*, const v1::ResetSlowLogRequest*,
                              v1::ResetSlowLogResponse*) override {
      return peer_.Change();
    }

   private:
    ClusterPeer& peer_;
  };

  class Cluster final : public v1::ClusterService::Service {
   public:
    explicit Cluster(ClusterPeer* peer) : peer_(*peer) {}

    grpc::Status WatchTopology(grpc::ServerContext* context, const v1::WatchTopologyRequest*,
                               grpc::ServerWriter<v1::WatchTopologyResponse>* writer) override {
      peer_.Serve(context, writer);
      return grpc::Status::OK;
    }

   private:
    ClusterPeer& peer_;
  };

  static grpc::Status StatusOf(const std::optional<v1::OperationError>& error) {
    if (!error.has_value()) return grpc::Status::OK;
    google::rpc::ErrorInfo info;
    info.set_reason(v1::ErrorReason_Name(error->reason()));
    info.set_domain("ferrite");
    *info.mutable_metadata() = error->metadata();
    google::rpc::Status details;
    details.set_code(error->code());
    details.add_details()->PackFrom(info);
    return {static_cast<grpc::StatusCode>(error->code()), error->message(),
            details.SerializeAsString()};
  }

  void Start(const std::string& address) {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = false;
    }
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&cache_);
    builder.RegisterService(&cluster_);
    builder.RegisterService(&admin_);
    server_ = builder.BuildAndStart();
    address_ = "127.0.0.1:" + std::to_string(port);
  }

  grpc::Status Change() {
    const std::lock_guard lock(mutex_);
    ++changes_;
    return grpc::Status::OK;
  }

  std::optional<v1::OperationError> Take(const grpc::ServerContext& context,
                                         const std::string& key) {
    const bool direct =
        context.client_metadata().find("ferrite-route") != context.client_metadata().end();
    std::unique_lock lock(mutex_);
    (direct ? direct_keys_ : other_keys_).push_back(key);
    changed_.notify_all();
    changed_.wait(lock, [&] { return !held_ || stopping_; });
    return refusal_ ? refusal_(key) : std::nullopt;
  }

  void Serve(grpc::ServerContext* context, grpc::ServerWriter<v1::WatchTopologyResponse>* writer) {
    std::unique_lock lock(mutex_);
    ++watchers_;
    ++watched_;
    changed_.notify_all();
    int told = -1;
    while (!stopping_ && !context->IsCancelled()) {
      if (told == topologies_) {
        // Nothing wakes it when its caller goes.
        changed_.wait_for(lock, std::chrono::milliseconds(1));
        continue;
      }
      told = topologies_;
      v1::WatchTopologyResponse response;
      *response.mutable_topology() = topology_;
      lock.unlock();
      const bool written = writer->Write(response);
      lock.lock();
      if (!written) break;
    }
    --watchers_;
    changed_.notify_all();
  }

  std::vector<std::string> Copy(const std::vector<std::string>& keys) const {
    const std::lock_guard lock(mutex_);
    return keys;
  }

  Cache cache_{this};
  Cluster cluster_{this};
  Admin admin_{this};
  std::string address_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  v1::Topology topology_;
  int topologies_ = 0;
  Refusal refusal_;
  bool held_ = false;
  bool stopping_ = false;
  std::vector<std::string> direct_keys_;
  std::vector<std::string> other_keys_;
  int watchers_ = 0;
  int watched_ = 0;
  int changes_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace ferrite
