#pragma once

// What somebody meant who misspelt a name.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ferrite {

// The one of `names` that is the fewest typing errors away from `word`: a character too many, too
// few, another, or two swapped. Absent if even that one differs in more than a third of the word.
std::optional<std::string> NearestName(std::string_view word,
                                       const std::vector<std::string>& names);

}  // namespace ferrite
