#pragma once

// CacheService, as functions from request to response and status. cache.proto is their contract.

#include <grpcpp/support/status.h>

#include "ferrite/v1/cache.pb.h"
#include "server/events/event_hub.h"
#include "server/handlers/replay_window.h"
#include "store/store.h"

namespace ferrite {

// Keys that go to the store in one call: a multiple of the store's own groups.
inline constexpr size_t kKeysPerStep = 64;

// Thread-safe; called on threads that have counters (CounterRegistry::AttachThread).
class CacheHandlers {
 public:
  // All must outlive the handlers.
  CacheHandlers(Store* store, ReplayWindow* replays, EventHub* events, const Clock* clock,
                size_t max_value_bytes)
      : store_(*store),
        replays_(*replays),
        events_(*events),
        clock_(*clock),
        max_value_bytes_(max_value_bytes) {}

  grpc::Status Get(const v1::GetRequest& request, v1::GetResponse* response);
  // The same, before there is a response.
  grpc::Status Read(const v1::GetRequest& request, ReadResult* result);
  grpc::Status Set(const v1::SetRequest& request, v1::SetResponse* response);
  grpc::Status Delete(const v1::DeleteRequest& request, v1::DeleteResponse* response);
  grpc::Status Touch(const v1::TouchRequest& request, v1::TouchResponse* response);
  grpc::Status Exists(const v1::ExistsRequest& request, v1::ExistsResponse* response);
  grpc::Status Incr(const v1::IncrRequest& request, v1::IncrResponse* response);
  grpc::Status MSet(const v1::MSetRequest& request, v1::MSetResponse* response);
  grpc::Status MDelete(const v1::MDeleteRequest& request, v1::MDeleteResponse* response);
  grpc::Status Publish(const v1::PublishRequest& request, v1::PublishResponse* response);

  // Any operation of a frame. When it fails, `*result` is undefined.
  grpc::Status Execute(const v1::Operation& operation, v1::OperationResult* result);

  size_t max_value_bytes() const { return max_value_bytes_; }

 private:
  // That the entry would not be past its time already.
  grpc::Status CheckNotPast(const v1::SetRequest& request) const;
  // A Set whose request has been checked, but for CheckNotPast if that is left to do.
  grpc::Status SetChecked(const v1::SetRequest& request, bool check_not_past,
                          v1::SetResponse* response);
  // What the store is asked by a Set without a request_id, and what it answers.
  static SetItem ItemOf(const v1::SetRequest& request);
  static grpc::Status FillAndCountSet(const SetResult& result, v1::SetResponse* response);

  Store& store_;
  ReplayWindow& replays_;
  EventHub& events_;
  const Clock& clock_;
  const size_t max_value_bytes_;
};

}  // namespace ferrite
