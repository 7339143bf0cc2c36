#include "server/handlers/large_writes.h"

#include <memory>
#include <optional>
#include <utility>

#include "ferrite/v1/cache.pb.h"
#include "server/handlers/large_set.h"
#include "server/handlers/typed_handler.h"
#include "store/room_reservation.h"

namespace ferrite {
namespace {

using Progress = RoomReservation::Progress;

class SetAnswer final : public Answer {
 public:
  SetAnswer(Store* store, CacheHandlers* cache, const Request& request)
      : store_(*store), cache_(*cache), set_(request) {}

  Next Advance(ReplyWriter* message, CallEnd* end) override {
    if (!parsed_) {
      if (set_.Join()) return Next::kYield;
      parsed_ = true;
      if (!set_.Parse()) {
        end->status = Malformed("SetRequest");
        return Next::kEnd;
      }
    }
    if (!hashed_) {
      if (set_.Hash()) return Next::kYield;
      hashed_ = true;
      if (cache_.NeedsRoom(set_)) room_.emplace(&store_, set_.head().key(), set_.value());
    }
    if (room_.has_value() && room_->Step() == Progress::kMore) return Next::kYield;
    v1::SetResponse response;
    end->status = cache_.SetLarge(set_, room_.has_value() ? &*room_ : nullptr, &response);
    if (end->status.ok()) message->AppendMessage(response);
    return Next::kEnd;
  }

 private:
  Store& store_;
  CacheHandlers& cache_;
  LargeSet set_;
  bool parsed_ = false;
  bool hashed_ = false;
  std::optional<RoomReservation> room_;
};

// Calls write(message), which returns a status, when there is room for so many bytes.
template <typename Write>
class BatchAnswer final : public Answer {
 public:
  BatchAnswer(Store* store, size_t bytes, Write write)
      : room_(store, bytes), write_(std::move(write)) {}

  Next Advance(ReplyWriter* message, CallEnd* end) override {
    if (room_.Step() == Progress::kMore) return Next::kYield;
    room_.GiveBack();
    end->status = write_(message);
    return Next::kEnd;
  }

 private:
  RoomReservation room_;
  Write write_;
};

template <typename Write>
std::unique_ptr<Answer> AfterRoom(Store* store, size_t bytes, Write write) {
  return std::make_unique<BatchAnswer<Write>>(store, bytes, std::move(write));
}

}  // namespace

absl::Status AnswerSet(Store* store, CacheHandlers* cache, Turn* turn) {
  if (turn->request().size() < RoomReservation::kWorthwhileBytes) [[likely]] {
    return AnswerTyped<v1::SetRequest, v1::SetResponse>(
        turn,
        [cache](const auto& request, auto* response) { return cache->Set(request, response); });
  }
  turn->Later(std::make_unique<SetAnswer>(store, cache, turn->request()));
  return absl::OkStatus();
}

absl::Status AnswerMSet(Store* store, CacheHandlers* cache, Turn* turn) {
  const auto write = [cache](const auto& request, auto* response) {
    return cache->MSet(request, response);
  };
  if (turn->request().size() < kLargeBatchBytes) {
    return AnswerTyped<v1::MSetRequest, v1::MSetResponse>(turn, write);
  }
  auto request = std::make_shared<v1::MSetRequest>();
  if (!turn->request().ParseInto(request.get())) return Malformed("MSetRequest");
  // Before room is made: a bad request changes nothing.
  if (absl::Status status = cache->CheckMSet(*request); !status.ok()) return status;
  turn->Later(AfterRoom(store, cache->RoomFor(*request), [write, request](ReplyWriter* reply) {
    v1::MSetResponse response;
    absl::Status status = write(*request, &response);
    if (status.ok()) reply->AppendMessage(response);
    return status;
  }));
  return absl::OkStatus();
}

absl::Status AnswerFrame(Store* store, WireHandlers* wire, Turn* turn) {
  const Request& frame = turn->request();
  const auto received = turn->received();
  if (frame.size() < kLargeBatchBytes) [[likely]]
    return wire->Pipeline(frame, received, turn->reply());
  const size_t bytes = wire->RoomFor(frame);
  if (bytes < kLargeBatchBytes) return wire->Pipeline(frame, received, turn->reply());
  turn->Later(AfterRoom(store, bytes, [wire, &frame, received](ReplyWriter* reply) {
    return wire->Pipeline(frame, received, reply);
  }));
  return absl::OkStatus();
}

}  // namespace ferrite
