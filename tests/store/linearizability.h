#pragma once

// Whether what many threads were told by a store could have been told by one that does one call
// after the other, each at some moment between its begin and its end (Herlihy and Wing).
//
// Keys do not depend on each other, so each key's history is judged alone. In general one would
// have to search for an order (Wing and Gong). Here versions leave nothing to choose:
//
//   - Writes of a key come in the order of their versions, since each must be above the one before.
//   - A delete names the version that it deleted, so it comes right after that write.
//   - A call that changes nothing may come as soon as the state allows it: if an order exists in
//     which it comes later, it may be moved forward, and nobody notices.
//   - A key that may be forgotten (Allowances) is so only when an answer needs it, and then as
//     early as the order of versions allows.
//
// So one walk from state to state decides, in n log n, and knows which call is wrong.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ferrite {

enum class CallKind : uint8_t {
  kGet,     // any read that tells the value
  kTouch,   // one that tells only the version
  kExists,  // one that tells only whether the key is there
  kSet,
  kSetIfAbsent,
  kSetIfPresent,
  kSetIfVersion,
  kIncr,  // from 0 if the key is absent
  kDelete,
};

// A call on one key and its answer. Values are numbers: the recorder gives each write another one.
struct RecordedCall {
  CallKind kind = CallKind::kGet;
  // Found, stored, counted or deleted; else it changed nothing.
  bool done = false;
  // What it set, read, or counted up to.
  uint64_t value = 0;
  // What it read, wrote or deleted; when a condition failed what stood in the way, 0 if nothing
  // did.
  uint64_t version = 0;
  // For kSetIfVersion: the version that it asked for. For kIncr: the delta.
  uint64_t argument = 0;
  // For a set that was asked to tell: the version before, 0 if the key was absent.
  std::optional<uint64_t> previous;
  // It took effect somewhere between these two, which are not before 0.
  int64_t begin_ns = 0;
  int64_t end_ns = 0;

  std::string ToString() const;
};

// What may have happened besides the calls whose outcome is known. Nothing, unless told.
struct Allowances {
  // Times, with both ends, at any moment of which the key may have been forgotten, as often as it
  // likes: as if deleted, but nobody is told, and later versions are still above.
  std::vector<std::pair<int64_t, int64_t>> losses;
  // When calls began that may have counted up by 1 at any later moment, or not at all. No call was
  // told any of their versions, and none is kExists or kSetIfPresent, which would not need to be.
  std::vector<int64_t> unknown_incrs;
};

// Judges all calls on one key that was absent before. None if they are linearizable; else what
// cannot be.
std::optional<std::string> FindFault(std::vector<RecordedCall> calls, Allowances allowances = {});

}  // namespace ferrite
