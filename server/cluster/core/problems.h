#pragma once

// Which problems there are, so that each is reported when it comes, changes and ends.

#include <map>
#include <string>
#include <string_view>

#include "server/cluster/core/action.h"

namespace ferrite::cluster {

class Problems {
 public:
  // Empty: there is no such problem.
  void Set(Problem problem, std::string_view text, Actions* actions) {
    std::string& known = texts_[problem];
    if (known == text) return;
    known = text;
    actions->emplace_back(Report{problem, known});
  }

 private:
  std::map<Problem, std::string> texts_;
};

}  // namespace ferrite::cluster
