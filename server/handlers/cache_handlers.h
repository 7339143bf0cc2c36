#pragma once

// CacheService, as functions from request to response and status. cache.proto is their contract.

#include <atomic>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"

#include "ferrite/v1/cache.pb.h"
#include "server/events/event_hub.h"
#include "server/handlers/large_set.h"
#include "server/handlers/replay_window.h"
#include "store/room_reservation.h"
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

  absl::Status Get(const v1::GetRequest& request, v1::GetResponse* response);
  // The same, before there is a response.
  absl::Status Read(const v1::GetRequest& request, ReadResult* result);
  absl::Status Set(const v1::SetRequest& request, v1::SetResponse* response);
  // A Set of a large value, with the room that was made for it; null: none was.
  absl::Status SetLarge(const LargeSet& set, RoomReservation* room, v1::SetResponse* response);
  // Whether room should be made for it: not if it will be refused, was executed before, or has a
  // condition that does not hold now.
  bool NeedsRoom(const LargeSet& set);
  // About how much more memory a batch takes in the store, without those of its writes for which
  // the same holds.
  size_t RoomFor(const v1::MSetRequest& request);
  // Adds what a Set asks of the store, unless it was executed before.
  void AddItem(const v1::SetRequest& request, std::vector<SetItem>* items);
  absl::Status Delete(const v1::DeleteRequest& request, v1::DeleteResponse* response);
  absl::Status Touch(const v1::TouchRequest& request, v1::TouchResponse* response);
  absl::Status Exists(const v1::ExistsRequest& request, v1::ExistsResponse* response);
  absl::Status Incr(const v1::IncrRequest& request, v1::IncrResponse* response);
  absl::Status MSet(const v1::MSetRequest& request, v1::MSetResponse* response);
  // The checks of MSet: what it refuses as a whole.
  absl::Status CheckMSet(const v1::MSetRequest& request) const;
  absl::Status MDelete(const v1::MDeleteRequest& request, v1::MDeleteResponse* response);
  absl::Status Publish(const v1::PublishRequest& request, v1::PublishResponse* response);

  // Any operation of a frame. When it fails, `*result` is undefined.
  absl::Status Execute(const v1::Operation& operation, v1::OperationResult* result);

  size_t max_value_bytes() const { return max_value_bytes_; }

  // What a Set, or an Incr that makes an entry, gets that says nothing of its time to live; 0:
  // none. May change at any time.
  void SetDefaultTtl(int64_t ttl_ms) { default_ttl_ms_.store(ttl_ms, std::memory_order_relaxed); }
  Expiry default_expiry() const {
    const int64_t ttl_ms = default_ttl_ms_.load(std::memory_order_relaxed);
    return ttl_ms == 0 ? Expiry::Never() : Expiry::After(ttl_ms);
  }

 private:
  // That the entry would not be past its time already.
  absl::Status CheckNotPast(const v1::SetRequest& request) const;
  // A Set whose request has been checked, but for CheckNotPast if that is left to do.
  absl::Status SetChecked(const v1::SetRequest& request, v1::SetResponse* response);
  // An Exists in a frame.
  absl::Status ExistsOne(const v1::ExistsRequest& request, v1::ExistsResponse* response);
  // What the store is asked by a Set without a request_id, and what it answers.
  SetItem ItemOf(const v1::SetRequest& request) const;
  SetOptions OptionsOf(const v1::SetRequest& request) const;
  absl::Status CheckEntry(const v1::SetRequest& entry) const;
  absl::Status FillAndCountSet(const SetResult& result, v1::SetResponse* response);

  Store& store_;
  ReplayWindow& replays_;
  EventHub& events_;
  const Clock& clock_;
  const size_t max_value_bytes_;
  std::atomic<int64_t> default_ttl_ms_{0};
};

}  // namespace ferrite
