#pragma once

// Statuses that say more than what failed.

#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"

namespace ferrite::cli {

// `status` with `more` at the end of its message; its reason stays.
inline absl::Status Annotated(const absl::Status& status, std::string_view more) {
  absl::Status annotated(
      status.code(), absl::StrCat(status.message(), absl::string_view(more.data(), more.size())));
  status.ForEachPayload([&](absl::string_view type, const absl::Cord& payload) {
    annotated.SetPayload(type, payload);
  });
  return annotated;
}

}  // namespace ferrite::cli
