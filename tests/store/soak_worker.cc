#include "tests/store/soak_worker.h"

#include <charconv>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "store/room_reservation.h"
#include "tests/store/stamped_value.h"

namespace ferrite {
namespace {

constexpr size_t kKeys = 8000;
constexpr size_t kCounters = 16;
constexpr int64_t kMaxTtlOfSoakMs = 20;
constexpr uint64_t kMaxFaultsTold = 20;
constexpr size_t kManyKeys = 20;

bool IsCounterText(std::string_view text) {
  int64_t value;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

std::string Conflict(uint64_t version, VersionFloor floor) {
  return " version " + std::to_string(version) + " after " + std::to_string(floor.version()) +
         (floor.deleted() ? " was deleted" : " was there");
}

}  // namespace

void FaultLog::Report(const std::string& what, const std::string& key) {
  if (count_.fetch_add(1, std::memory_order_relaxed) >= kMaxFaultsTold) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  std::fprintf(stderr, "fault: key \"%.40s\": %s\n", key.c_str(), what.c_str());
}

SoakKeys::SoakKeys() : first_counter_(kKeys) {
  for (size_t i = 0; i < kKeys; ++i) {
    const size_t padding = i % 3 == 0 ? 0 : i % 3 == 1 ? 40 : 600;
    names_.push_back("k" + std::to_string(i) + std::string(padding, '.'));
  }
  for (size_t i = 0; i < kCounters; ++i) names_.push_back("counter" + std::to_string(i));
}

void SoakSubject::CheckFound(size_t key, VersionFloor floor, const ReadResult& result) {
  const std::string_view value = result.value.view();
  if (keys.IsCounter(key) ? !IsCounterText(value) : !StampOf(keys[key], value).has_value()) {
    faults.Report("holds what nobody wrote, " + std::to_string(value.size()) + " bytes", keys[key]);
  }
  if (!floor.AllowsRead(result.version)) {
    faults.Report("read" + Conflict(result.version, floor), keys[key]);
  }
  if (result.ttl_ms.has_value() && (*result.ttl_ms < 1 || *result.ttl_ms > kMaxTtlOfSoakMs)) {
    faults.Report("lives for " + std::to_string(*result.ttl_ms) + " ms", keys[key]);
  }
  floors.Raise(key, result.version);
}

void SoakWorker::CheckWritten(const char* operation, size_t key, VersionFloor floor,
                              uint64_t version) {
  if (!floor.AllowsWrite(version)) {
    subject_.faults.Report(operation + (" wrote" + Conflict(version, floor)), subject_.keys[key]);
  }
  subject_.floors.Raise(key, version);
}

void SoakWorker::CheckStanding(const char* operation, size_t key, VersionFloor floor,
                               uint64_t version) {
  if (version == 0) return;
  if (!floor.AllowsRead(version)) {
    subject_.faults.Report(operation + (" met" + Conflict(version, floor)), subject_.keys[key]);
  }
  subject_.floors.Raise(key, version);
}

void SoakWorker::CheckDeleted(size_t key, VersionFloor floor, const DeleteResult& result) {
  CheckStanding("Delete", key, floor, result.version);
  if (result.deleted) subject_.floors.RaiseAbove(key, result.version);
}

size_t SoakWorker::AnyCounter() {
  return subject_.keys.first_counter() +
         Below(static_cast<uint32_t>(subject_.keys.size() - subject_.keys.first_counter()));
}

size_t SoakWorker::AnySize() {
  if (Chance(300)) return Below(1 << 20);
  if (Chance(20)) return Below(60'000);
  if (Chance(3)) return kStampBytes;
  return Below(Chance(3) ? 2048 : 400);
}

Expiry SoakWorker::AnyExpiry() {
  if (Chance(8)) return Expiry::Keep();
  return Chance(3) ? Expiry::After(1 + Below(kMaxTtlOfSoakMs)) : Expiry::Never();
}

std::string SoakWorker::AnyValue(size_t key) {
  return StampedValue(subject_.keys[key], AnySize(), static_cast<uint32_t>(random_()));
}

SoakWorker::SomeKeys SoakWorker::PickSome() {
  SomeKeys some;
  for (size_t i = Below(kManyKeys); i > 0; --i) {
    const size_t key = AnyKey();
    some.keys.push_back(key);
    some.floors.push_back(subject_.floors.Of(key));
    some.names.push_back(subject_.keys[key]);
  }
  return some;
}

void SoakWorker::Get() {
  const size_t key = Chance(10) ? AnyCounter() : AnyKey();
  GetOptions options;
  if (Chance(10)) options.touch_ttl_ms = 1 + Below(kMaxTtlOfSoakMs);
  const VersionFloor floor = subject_.floors.Of(key);
  subject_.store.Get(subject_.keys[key], options, &result_);
  if (!result_.found) return;
  subject_.CheckFound(key, floor, result_);
  if (options.touch_ttl_ms.has_value() && !result_.ttl_ms.has_value()) {
    subject_.faults.Report("was read with a touch and not touched", subject_.keys[key]);
  }
}

void SoakWorker::Set() {
  const size_t key = AnyKey();
  const std::string value = AnyValue(key);
  SetOptions options{.expiry = AnyExpiry(), .return_previous = Chance(4)};
  if (Chance(5)) options.presence = Chance(2) ? Presence::kAbsent : Presence::kPresent;
  const VersionFloor floor = subject_.floors.Of(key);
  const SetResult result = subject_.store.Set(subject_.keys[key], value, options);
  if (result.previous.found) subject_.CheckFound(key, floor, result.previous);
  if (result.outcome == SetOutcome::kStored) CheckWritten("Set", key, floor, result.version);
  if (result.outcome == SetOutcome::kConditionFailed) {
    CheckStanding("Set", key, floor, result.version);
  }
}

// A large value for which room is made ahead; some reservations end unused.
void SoakWorker::SetWithRoom() {
  const size_t key = AnyKey();
  const std::string value =
      StampedValue(subject_.keys[key], RoomReservation::kWorthwhileBytes + Below(400'000),
                   static_cast<uint32_t>(random_()));
  RoomReservation room(&subject_.store, subject_.keys[key], value);
  while (room.Step() == RoomReservation::Progress::kMore) {
    if (Chance(50)) return;
  }
  const VersionFloor floor = subject_.floors.Of(key);
  const SetResult result = subject_.store.Set(subject_.keys[key], &room, {.expiry = AnyExpiry()});
  if (result.outcome == SetOutcome::kStored) CheckWritten("Set", key, floor, result.version);
}

void SoakWorker::SetIfUnchanged() {
  const size_t key = AnyKey();
  const std::string value = AnyValue(key);
  subject_.store.Get(subject_.keys[key], {}, &result_);
  if (!result_.found) return;
  const VersionFloor floor = subject_.floors.Of(key);
  const SetResult result = subject_.store.Set(
      subject_.keys[key], value, {.expiry = AnyExpiry(), .if_version = result_.version});
  if (result.outcome == SetOutcome::kStored) {
    if (!floor.AllowsRead(result_.version)) {
      subject_.faults.Report("Set replaced a version that was gone", subject_.keys[key]);
    }
    CheckWritten("Set", key, VersionFloor(result_.version * 2), result.version);
  }
}

void SoakWorker::Incr() {
  const size_t key = AnyCounter();
  const VersionFloor floor = subject_.floors.Of(key);
  const IncrResult result =
      subject_.store.Incr(subject_.keys[key], {.delta = static_cast<int64_t>(Below(1000)) - 500,
                                               .expiry = AnyExpiry(),
                                               .expiry_only_if_created = Chance(2)});
  if (result.outcome == IncrOutcome::kDone) {
    CheckWritten("Incr", key, floor, result.version);
  } else if (result.outcome != IncrOutcome::kMemoryFull) {
    subject_.faults.Report("is no counter any more", subject_.keys[key]);
  }
}

void SoakWorker::Delete() {
  const size_t key = Chance(50) ? AnyCounter() : AnyKey();
  std::optional<uint64_t> if_version;
  const VersionFloor floor = subject_.floors.Of(key);
  if (Chance(3)) if_version = floor.version();
  CheckDeleted(key, floor, subject_.store.Delete(subject_.keys[key], if_version));
}

void SoakWorker::Touch() {
  const size_t key = AnyKey();
  std::optional<Expiry> expiry;
  if (Chance(2)) expiry = Expiry::After(1 + Below(kMaxTtlOfSoakMs));
  if (Chance(8)) expiry = Expiry::Never();
  const VersionFloor floor = subject_.floors.Of(key);
  const TouchResult result = subject_.store.Touch(subject_.keys[key], expiry);
  if (result.found) CheckStanding("Touch", key, floor, result.version);
}

void SoakWorker::Peek() {
  const size_t key = AnyKey();
  subject_.store.Exists(subject_.keys[key]);
  const VersionFloor floor = subject_.floors.Of(key);
  subject_.store.Peek(subject_.keys[key], true, &result_);
  if (result_.found) subject_.CheckFound(key, floor, result_);
}

void SoakWorker::MGet() {
  const auto [keys, floors, names] = PickSome();
  results_.resize(keys.size());
  subject_.store.MGet(names, results_);
  for (size_t i = 0; i < keys.size(); ++i) {
    if (results_[i].found) subject_.CheckFound(keys[i], floors[i], results_[i]);
  }
}

void SoakWorker::MSet() {
  const auto [keys, floors, names] = PickSome();
  std::vector<std::string> values;
  for (const size_t key : keys) values.push_back(AnyValue(key));
  std::vector<SetItem> items;
  items.reserve(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    items.push_back({names[i], values[i], {.expiry = AnyExpiry()}});
  }
  std::vector<SetResult> results(keys.size());
  subject_.store.MSet(items, results);
  for (size_t i = 0; i < keys.size(); ++i) {
    if (results[i].outcome == SetOutcome::kStored) {
      CheckWritten("MSet", keys[i], floors[i], results[i].version);
    }
  }
}

void SoakWorker::MDelete() {
  const auto [keys, floors, names] = PickSome();
  std::vector<DeleteResult> results(keys.size());
  subject_.store.MDelete(names, results);
  for (size_t i = 0; i < keys.size(); ++i) CheckDeleted(keys[i], floors[i], results[i]);
}

void SoakWorker::Step() {
  if (Chance(50'000)) subject_.store.Flush();
  if (Chance(2'000)) return SetWithRoom();
  switch (Below(20)) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
      return Set();
    case 5:
      return SetIfUnchanged();
    case 6:
    case 7:
      return Incr();
    case 8:
    case 9:
      return Delete();
    case 10:
      return Touch();
    case 11:
      return Peek();
    case 12:
      return MGet();
    case 13:
      if (Chance(4)) return MDelete();
      return Chance(2) ? MSet() : MGet();
    default:
      return Get();
  }
}

}  // namespace ferrite
