#pragma once

// Which problems there are, so that each is reported when it comes, changes and ends.

#include <array>
#include <string>
#include <string_view>

#include "server/cluster/core/action.h"

namespace ferrite::cluster {

class Problems {
 public:
  // Empty: there is no such problem.
  void Set(Problem problem, std::string_view text, Actions* actions) {
    std::string& known = texts_[static_cast<size_t>(problem)];
    if (known == text) return;
    known = text;
    actions->emplace_back(Report{problem, known});
  }

 private:
  // By problem. Each step of a core tells of all of them.
  std::array<std::string, static_cast<size_t>(Problem::kClockOff) + 1> texts_;
};

}  // namespace ferrite::cluster
