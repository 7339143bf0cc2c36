#include "store/room_reservation.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "store/calls/evictor.h"
#include "store/calls/step_clock.h"
#include "store/calls/store_state.h"
#include "store/memory/reserved_bytes.h"

namespace ferrite {
namespace {

// Of one step.
constexpr size_t kMaxWork = 256;
constexpr size_t kMaxCopiedBytes = size_t{256} << 10;
// Entries between two looks at the clock.
constexpr size_t kEntriesAtOnce = 48;

}  // namespace

RoomReservation::RoomReservation(Store* store, size_t bytes)
    : state_(*store->state_),
      goal_bytes_(bytes),
      room_(std::make_unique<ReservedBytes>(&state_.context.budget)),
      evictor_(std::make_unique<Evictor>(&state_, state_.NextShardToEvict())) {}

RoomReservation::RoomReservation(Store* store, std::string_view value)
    : state_(*store->state_),
      goal_bytes_(ValueBlock::MemoryBytes(value.size())),
      room_(std::make_unique<ReservedBytes>(&state_.context.budget)),
      evictor_(std::make_unique<Evictor>(&state_, state_.NextShardToEvict())),
      value_(value) {
  FERRITE_CHECK(value.size() >= kWorthwhileBytes);
}

RoomReservation::~RoomReservation() = default;

RoomReservation::Progress RoomReservation::Step() {
  if (progress_ == Progress::kMore) {
    progress_ = MakeRoom();
    if (progress_ == Progress::kMore) return progress_;
  }
  if (progress_ == Progress::kFull || copied_bytes_ == value_.size()) return progress_;
  // The kernel finds memory for the block as it is written.
  if (block_ == nullptr) block_.reset(ValueBlock::CreateUnfilled(value_.size()));
  const size_t size = std::min(kMaxCopiedBytes, value_.size() - copied_bytes_);
  std::memcpy(block_->data() + copied_bytes_, value_.data() + copied_bytes_, size);
  copied_bytes_ += size;
  return copied_bytes_ == value_.size() ? Progress::kReady : Progress::kMore;
}

RoomReservation::Progress RoomReservation::MakeRoom() {
  const size_t limit_bytes = state_.context.budget.limit_bytes();
  if (limit_bytes == 0) return Progress::kReady;
  if (goal_bytes_ > limit_bytes) {
    room_->GiveBack();
    return Progress::kFull;
  }
  const StepClock clock;
  const size_t work_before = evictor_->work();
  // Others are not held up, so that it may take more than one write would.
  const size_t enough_entries = 2 * goal_bytes_ / SlotBytes(0) + Evictor::kEnoughEntries;
  while (!room_->GrowTo(goal_bytes_)) {
    if (!state_.context.evict) {
      room_->GiveBack();
      return Progress::kFull;
    }
    // As for any write: memory is above the limit for a while then.
    if (evictor_->entries() >= enough_entries || evictor_->found_nothing()) break;
    if (evictor_->work() - work_before >= kMaxWork || clock.IsOver()) return Progress::kMore;
    evictor_->EvictSome(kEntriesAtOnce);
    evictor_->TurnToNextShard();
  }
  return Progress::kReady;
}

void RoomReservation::GiveBack() { room_->GiveBack(); }

BlockRef RoomReservation::TakeBlock() {
  if (block_ == nullptr || copied_bytes_ < value_.size()) return nullptr;
  return std::move(block_);
}

}  // namespace ferrite
