#include "store/room_reservation.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/check.h"
#include "store/calls/entry_reader.h"
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
      bytes_(bytes),
      room_(std::make_unique<ReservedBytes>(&state_.context.budget)),
      evictor_(std::make_unique<Evictor>(&state_, state_.NextShardToEvict())) {}

RoomReservation::RoomReservation(Store* store, std::string_view key, std::string_view value)
    : state_(*store->state_),
      bytes_(ValueBlock::MemoryBytes(value.size())),
      room_(std::make_unique<ReservedBytes>(&state_.context.budget)),
      evictor_(std::make_unique<Evictor>(&state_, state_.NextShardToEvict())),
      key_(key),
      value_(value) {
  FERRITE_CHECK(value.size() >= kWorthwhileBytes);
}

RoomReservation::~RoomReservation() = default;

RoomReservation::Progress RoomReservation::Step() {
  // Each time, as what is to be replaced may be gone since the last.
  if (progress_ != Progress::kFull) progress_ = MakeRoom();
  if (progress_ != Progress::kReady || copied_bytes_ == value_.size()) return progress_;
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
  if (bytes_ > limit_bytes) {
    room_->GiveBack();
    return Progress::kFull;
  }
  const StepClock clock;
  const size_t work_before = evictor_->work();
  // Others are not held up, so that it may take more than one write would.
  const size_t enough_entries = 2 * bytes_ / SlotBytes(0) + Evictor::kEnoughEntries;
  while (!room_->GrowTo(GoalBytes())) {
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

size_t RoomReservation::GoalBytes() const {
  if (key_.empty()) return bytes_;
  const LocatedKey key = state_.Locate(key_);
  return bytes_ - std::min(bytes_, EntryReader(state_, key).LockAndWeigh().block_bytes);
}

size_t RoomReservation::BytesFor(Store* store, std::span<const SetItem> items) {
  StoreState& state = *store->state_;
  // What each key has after the writes before.
  std::unordered_map<std::string_view, EntryReader::Standing> standings;
  std::vector<std::string_view> keys;
  for (const SetItem& item : items) keys.push_back(item.key);
  int64_t bytes = 0;
  store->InTurn(keys, [&](size_t i) {
    const SetItem& item = items[i];
    const auto [place, is_new] = standings.try_emplace(item.key);
    EntryReader::Standing& standing = place->second;
    if (is_new) standing = EntryReader(state, state.Locate(item.key)).LockAndWeigh();
    if (!item.options.AllowedBy(standing.found, standing.version)) return;
    const bool is_inline = Entry::FitsInline(item.key.size(), item.value.size());
    const size_t block_bytes = is_inline ? 0 : ValueBlock::MemoryBytes(item.value.size());
    bytes += static_cast<int64_t>(block_bytes) - static_cast<int64_t>(standing.block_bytes);
    if (!standing.found) {
      bytes += static_cast<int64_t>(
          Entry::SlotBytesFor(item.key.size(), is_inline ? item.value.size() : 0));
    }
    standing = {.found = true, .version = 0, .block_bytes = block_bytes};
  });
  return static_cast<size_t>(std::max<int64_t>(bytes, 0));
}

void RoomReservation::GiveBack() { room_->GiveBack(); }

BlockRef RoomReservation::TakeBlock() {
  if (block_ == nullptr || copied_bytes_ < value_.size()) return nullptr;
  return std::move(block_);
}

}  // namespace ferrite
