#pragma once

// Files that people load by mistake.

#include <string>
#include <string_view>

namespace ferrite::cli {

// What a file that begins with these bytes is, if it is of a known kind that has no entries, and
// what to do: "it is compressed by gzip; try zcat FILE | ferrite load". Empty: nothing is known.
std::string KnownFileKind(std::string_view beginning);

// Whether this is the beginning of keys and values between NULs, by its keys: none is empty, and
// all of them are text. Any other file with NULs has, most likely, not been meant.
bool HasKeysBetweenNuls(std::string_view beginning);

}  // namespace ferrite::cli
