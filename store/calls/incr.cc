// Counters.

#include <charconv>

#include "store/calls/entry_writer.h"
#include "store/calls/store_state.h"
#include "store/store.h"

namespace ferrite {
namespace {

// The longest decimal int64, sign included.
constexpr size_t kMaxCounterBytes = 20;

// The one spelling of each int64: no sign but '-', no leading zero, no space. So a counter reads
// back as it was written.
bool ParseCounter(std::string_view text, int64_t* value) {
  if (text.size() > kMaxCounterBytes) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  if (error != std::errc() || end != text.data() + text.size()) return false;
  const size_t first_digit = text[0] == '-' ? 1 : 0;
  return text[first_digit] != '0' || text.size() == 1;
}

// The decimal spelling of a counter.
class CounterText {
 public:
  explicit CounterText(int64_t value)
      : size_(static_cast<size_t>(std::to_chars(text_, text_ + sizeof(text_), value).ptr - text_)) {
  }
  std::string_view view() const { return {text_, size_}; }

 private:
  char text_[kMaxCounterBytes];
  const size_t size_;
};

// Takes the step from `result->value`. False, and nothing is changed, if that is not allowed.
bool Step(const IncrOptions& options, IncrResult* result) {
  __extension__ using Int128 = __int128;
  Int128 sum = static_cast<Int128>(result->value) + options.delta;
  if (sum < options.min || sum > options.max) {
    if (!options.saturate) return false;
    sum = sum < options.min ? options.min : options.max;
    result->saturated = true;
  }
  result->value = static_cast<int64_t>(sum);
  return true;
}

}  // namespace

bool StoreState::IncrInPlace(const Place& place, const IncrOptions& options, IncrResult* result) {
  if (!options.expiry_only_if_created && options.expiry.IsSet()) return false;
  SpinMutex::scoped_lock lock(place.shard->LockOf(place.key.hash));
  Entry* const entry = UnlockedRead::Guess(place.shard->places(), place.key);
  if (entry == nullptr || !entry->IsOverwritable() || !ParseCounter(entry->value(), &result->value))
    return false;
  if (!Step(options, result) || !entry->Overwrite(CounterText(result->value).view())) return false;
  if (counts_uses) entry->key().CountUse();
  result->version = entry->version();
  place.shard->Tell(EventKind::kIncr, *entry);
  return true;
}

IncrResult StoreState::IncrAnyhow(const Place& place, const IncrOptions& options) {
  IncrResult result;
  if (context.evict && context.budget.IsExceeded()) TakeBackExcess(place.shard);
  EntryWriter writer(this, place);
  result.value = options.initial;
  // Before an entry is made, which may evict others: what fails is to change nothing.
  if (IncrResult first = result; !writer.present() && !Step(options, &first)) {
    result.outcome = IncrOutcome::kOutOfRange;
    return result;
  }
  if (!writer.Create(Entry::SlotBytesFor(place.key.bytes.size(), kMaxCounterBytes))) {
    result.outcome = IncrOutcome::kMemoryFull;
    return result;
  }
  const bool present = writer.present();
  result.version = writer.present_version();
  if (present && !ParseCounter(writer.entry().value(), &result.value)) {
    result.outcome = IncrOutcome::kNotACounter;
    return result;
  }
  const int64_t before = result.value;
  if (!Step(options, &result)) {
    result.outcome = IncrOutcome::kOutOfRange;
    return result;
  }
  if (!writer.SetValue(CounterText(result.value).view(), nullptr)) {
    result.outcome = IncrOutcome::kMemoryFull;
    result.value = before;
    return result;
  }
  writer.Finish(present && options.expiry_only_if_created ? Expiry::Keep() : options.expiry,
                EventKind::kIncr);
  result.version = writer.entry().version();
  result.ttl_ms = TtlMs(writer.entry());
  result.created = !present;
  return result;
}

IncrResult Store::Incr(std::string_view key, const IncrOptions& options) {
  const StoreState::Place place = state_->Locate(key);
  IncrResult result;
  if (!state_->IncrInPlace(place, options, &result)) result = state_->IncrAnyhow(place, options);
  return result;
}

}  // namespace ferrite
