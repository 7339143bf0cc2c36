#include "store/store.h"

#include "store/calls/entry_reader.h"
#include "store/calls/entry_writer.h"
#include "store/calls/store_state.h"
#include "store/room_reservation.h"

namespace ferrite {

Store::Store(const StoreOptions& options) : state_(std::make_unique<StoreState>(options)) {}

Store::~Store() = default;

size_t Store::shard_count() const { return state_->shards.size(); }

// Everything but the likely case is a call at the end, which leaves the registers to that case.
void Store::GetPlain(std::string_view key, ReadResult* result) {
  const StoreState& state = *state_;
  const LocatedKey located = state.Locate(key);
  UnlockedRead read(located.shard->places(state.context));
  if (!EntryReader(state, located).GlanceUnlocked(state.Foresee(located), &read, result))
      [[unlikely]]
    return EntryReader::LocateAndRead(state, key, result);
  if (read.expires()) EntryReader::FinishExpiring(state, key, read.expires_at_ms(), result);
}

void Store::GetWithOptions(std::string_view key, const GetOptions& options, ReadResult* result) {
  const LocatedKey located = state_->Locate(key);
  const EntryReader reader(*state_, located);
  if (options.touch_ttl_ms.has_value()) return reader.LockTouchAndRead(options, result);
  reader.Read(options, result);
}

void Store::Peek(std::string_view key, bool with_value, ReadResult* result) {
  EntryReader(*state_, state_->Locate(key)).LockAndPeek(with_value, result);
}

bool Store::Exists(std::string_view key) {
  return EntryReader(*state_, state_->Locate(key)).LockAndFind();
}

uint64_t Store::TrySet(std::string_view key, std::string_view value) {
  const LocatedKey located = state_->Locate(key);
  return EntryWriter(state_.get(), located).TryOverwrite(state_->Foresee(located), value);
}

SetResult Store::SetInAllCases(std::string_view key, std::string_view value,
                               const SetOptions& options) {
  return EntryWriter(state_.get(), state_->Locate(key)).Set(value, options);
}

SetResult Store::Set(std::string_view key, RoomReservation* room, const SetOptions& options) {
  BlockRef block = room->TakeBlock();
  if (block == nullptr) return {.outcome = SetOutcome::kMemoryFull};
  return EntryWriter(state_.get(), state_->Locate(key))
      .SetBlock(std::move(block), &room->room(), options);
}

DeleteResult Store::Delete(std::string_view key, std::optional<uint64_t> if_version) {
  return EntryWriter(state_.get(), state_->Locate(key)).Delete(if_version);
}

TouchResult Store::Touch(std::string_view key, std::optional<Expiry> expiry) {
  return EntryWriter(state_.get(), state_->Locate(key)).Touch(expiry);
}

IncrResult Store::Incr(std::string_view key, const IncrOptions& options) {
  const LocatedKey located = state_->Locate(key);
  EntryWriter writer(state_.get(), located);
  IncrResult result;
  return writer.TryIncrInPlace(options, &result) ? result : writer.Incr(options);
}

void Store::SetMaxMemoryBytes(uint64_t bytes) { state_->SetLimit(bytes); }

void Store::SetEviction(bool evict) { state_->SetEviction(evict); }

void Store::SetHeapShare(double share) {
  const auto whole = static_cast<double>(MemoryBudget::kWholeHeap);
  state_->context.budget.heap_share.store(static_cast<size_t>(share * whole),
                                          std::memory_order_relaxed);
}

uint64_t Store::max_memory_bytes() const { return state_->context.budget.limit_bytes(); }

uint64_t Store::LeastMemoryBytes() const {
  return state_->context.budget.table_bytes.load(std::memory_order_relaxed) +
         state_->shards.size() * kMinShardBytes;
}

void Store::Listen(EventListener* listener) {
  state_->context.listener.store(listener, std::memory_order_release);
  for (const auto& shard : state_->shards) shard->WaitForWriters();
}

}  // namespace ferrite
