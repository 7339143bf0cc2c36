#pragma once

// Compressed bodies, for those who accept them.

#include <optional>
#include <string>
#include <string_view>

namespace ferrite {

// Whether the header Accept-Encoding of a request allows gzip.
bool AcceptsGzip(std::string_view accept_encoding);

// Absent if there is no memory for it.
std::optional<std::string> Gzip(std::string_view bytes);

}  // namespace ferrite
