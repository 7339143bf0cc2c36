#pragma once

// What somebody meant who misspelt a name.

#include <string>
#include <string_view>
#include <vector>

namespace ferrite {

// Those of `names` that are the fewest typing errors away from `word`: a letter too many, too few,
// another, or two swapped, whatever their case. None if even those differ in more than a third of
// the word, or in every letter. However long the word is, this takes no longer than the names are.
std::vector<std::string> NearestNames(std::string_view word, const std::vector<std::string>& names);

}  // namespace ferrite
