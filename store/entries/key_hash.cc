#include "store/entries/key_hash.h"

#include <random>

namespace ferrite {

KeyHash::KeyHash() {
  std::random_device random;
  for (uint64_t& secret : secrets_) {
    secret = static_cast<uint64_t>(random()) << 32 | random() | 1;
  }
}

}  // namespace ferrite
