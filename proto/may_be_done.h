#pragma once

// What errors say of whether something was done: a part of the contract that server and clients
// must read alike, as a client repeats what certainly was not done.

#include "ferrite/v1/cache.pb.h"

namespace ferrite {

// Whether a call, or an operation, that failed so may have been executed all the same.
inline bool MayBeDone(const v1::OperationError& error) {
  const auto told = error.metadata().find("executed");
  if (told != error.metadata().end()) return told->second != "no";
  switch (error.code()) {
    case 3:   // INVALID_ARGUMENT
    case 9:   // FAILED_PRECONDITION
    case 11:  // OUT_OF_RANGE
      return false;
    default:
      break;
  }
  switch (error.reason()) {
    case v1::MALFORMED:
    case v1::OVERLOADED:
    case v1::REPLY_TOO_LARGE:
    case v1::SHUTTING_DOWN:
    case v1::SLOT_IN_TRANSITION:
    case v1::SLOT_MOVED:
    case v1::SLOT_UNOWNED:
      return false;
    default:
      return true;
  }
}

// What a batch fails with of whose keys each has failed, at least one: the first error of those
// that may have been done, so that nobody takes the others for done by none; if there is none such,
// the first.
template <typename Errors>
const v1::OperationError& ErrorOfAll(const Errors& errors) {
  for (const v1::KeyError& error : errors) {
    if (MayBeDone(error.error())) return error.error();
  }
  return errors.begin()->error();
}

}  // namespace ferrite
