#pragma once

#include <string>
#include <system_error>

namespace ferrite {

// What an errno means: "Too many open files". Thread-safe, unlike strerror().
inline std::string ErrorText(int error) { return std::generic_category().message(error); }

}  // namespace ferrite
