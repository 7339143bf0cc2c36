#pragma once

// A map that is filled when it is first asked for.

#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>

#include "bench/store/workload.h"

namespace ferrite::bench {

// Thread-safe, also while it is being filled.
template <class Map>
class FilledMap {
 public:
  // The map with so many entries, each of this value; the first call decides.
  Map& Get(uint64_t keys, std::string_view value) {
    std::call_once(filled_, [&] {
      map_ = std::make_unique<Map>();
      for (uint64_t i = 0; i < keys; ++i) map_->Set(Key(i).view(), value);
    });
    return *map_;
  }

 private:
  std::once_flag filled_;
  std::unique_ptr<Map> map_;
};

}  // namespace ferrite::bench
