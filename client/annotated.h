#pragma once

// Statuses that say more than what failed.

#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"

namespace ferrite {

// `status` with `before` and `after` around its message. Its payloads, and so its reason, stay.
inline absl::Status Annotated(const absl::Status& status, std::string_view before,
                              std::string_view after) {
  const auto abseil = [](std::string_view text) {
    return absl::string_view(text.data(), text.size());
  };
  absl::Status annotated(status.code(),
                         absl::StrCat(abseil(before), status.message(), abseil(after)));
  status.ForEachPayload([&](absl::string_view type, const absl::Cord& payload) {
    annotated.SetPayload(type, payload);
  });
  return annotated;
}

}  // namespace ferrite
