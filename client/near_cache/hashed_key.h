#pragma once

// A key with its hash, which is computed once for a lookup; and functors with which hash sets of
// keyed objects can be searched by key.

#include <cstddef>
#include <string_view>

#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"

namespace ferrite {

struct HashedKey {
  explicit HashedKey(std::string_view bytes)
      : key(bytes), hash(absl::HashOf(absl::string_view(bytes.data(), bytes.size()))) {}

  std::string_view key;
  size_t hash;
};

// For sets of pointers to objects that have a key().
struct HashOfKey {
  using is_transparent = void;  // NOLINT(readability-identifier-naming): as the library wants it
  size_t operator()(const HashedKey& key) const { return key.hash; }
  template <class Pointer>
  size_t operator()(const Pointer& keyed) const {
    return HashedKey(keyed->key()).hash;
  }
};

struct SameKey {
  using is_transparent = void;  // NOLINT(readability-identifier-naming): as the library wants it
  template <class A, class B>
  bool operator()(const A& a, const B& b) const {
    return KeyOf(a) == KeyOf(b);
  }

 private:
  static std::string_view KeyOf(const HashedKey& key) { return key.key; }
  template <class Pointer>
  static std::string_view KeyOf(const Pointer& keyed) {
    return keyed->key();
  }
};

}  // namespace ferrite
