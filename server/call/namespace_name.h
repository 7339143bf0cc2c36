#pragma once

// Names of namespaces. Each that was ever defined has one place in this process, so that names are
// compared as pointers and may be kept for as long as anybody likes.

#include <cstddef>
#include <string>
#include <string_view>

namespace ferrite {

// The metadata that names the namespace of a call or stream.
inline constexpr std::string_view kNamespaceMetadata = "ferrite-namespace";
// The one that always is there, and that calls are about which name none.
inline constexpr std::string_view kDefaultNamespace = "default";

// The place of a name; null for kDefaultNamespace. For names that somebody has defined, as places
// are never given back. Thread-safe.
const std::string* NamespaceName(std::string_view name);

// Stands for a name that nobody has defined.
const std::string* UnknownNamespace();

}  // namespace ferrite
