#pragma once

// Runs one operation on one map for a fixed time. bench/peers/src/window.rs does the same in Rust.

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "bench/store/workload.h"
#include "benchmark/benchmark.h"

namespace ferrite::bench {

enum class Operation { kGet, kSet, kMixed, kMGet, kIncr };

inline constexpr size_t kBatch = 16;

struct NamedOperation {
  std::string_view name;
  Operation operation;
};
inline constexpr std::array<NamedOperation, 5> kOperations = {{{"get", Operation::kGet},
                                                               {"set", Operation::kSet},
                                                               {"mixed", Operation::kMixed},
                                                               {"mget16", Operation::kMGet},
                                                               {"incr", Operation::kIncr}}};

// What one thread did: single-key operations (a batch counts once per key), and how many of them
// found their key.
struct Share {
  uint64_t operations = 0;
  uint64_t found = 0;
};

// Calls `step` until `length` is over. A step makes `keys_per_step` operations and returns how many
// found their key.
template <class Step>
Share Repeat(std::chrono::duration<double> length, uint64_t keys_per_step, Step step) {
  constexpr uint64_t kKeysBetweenLooksAtTheClock = 64;
  const auto end = std::chrono::steady_clock::now() + length;
  Share share;
  do {
    for (uint64_t i = 0; i < kKeysBetweenLooksAtTheClock; i += keys_per_step) {
      share.found += step();
      share.operations += keys_per_step;
    }
  } while (std::chrono::steady_clock::now() < end);
  return share;
}

// One thread's part of a window.
template <class Map, class Picker>
Share RunWindow(Map& map, Operation operation, const Picker& picker,
                std::chrono::duration<double> length, std::string_view value, Random random) {
  typename Map::Buffer buffer;
  const auto get = [&](const Key& key) -> uint64_t {
    const bool found = map.Get(key.view(), &buffer);
    benchmark::DoNotOptimize(buffer);
    benchmark::ClobberMemory();
    return found;
  };
  const auto set = [&](const Key& key) -> uint64_t {
    map.Set(key.view(), value);
    return 1;
  };
  switch (operation) {
    case Operation::kGet:
      return Repeat(length, 1, [&] { return get(Key(picker.Pick(random))); });
    case Operation::kSet:
      return Repeat(length, 1, [&] { return set(Key(picker.Pick(random))); });
    case Operation::kMixed:
      return Repeat(length, 1, [&] {
        const Key key(picker.Pick(random));
        return random.Next() % 5 == 0 ? set(key) : get(key);
      });
    case Operation::kIncr:
      return Repeat(length, 1,
                    [&]() -> uint64_t { return map.Incr(Key(picker.Pick(random)).view()); });
    case Operation::kMGet:
      break;
  }
  std::array<Key, kBatch> keys;
  std::array<std::string_view, kBatch> views;
  std::array<typename Map::Buffer, kBatch> buffers;
  return Repeat(length, kBatch, [&]() -> uint64_t {
    for (size_t i = 0; i < kBatch; ++i) {
      keys[i] = Key(picker.Pick(random));
      views[i] = keys[i].view();
    }
    const size_t found = map.MGet(views, buffers);
    benchmark::DoNotOptimize(buffers);
    benchmark::ClobberMemory();
    return found;
  });
}

}  // namespace ferrite::bench
