#pragma once

// Runs one operation on one map for a fixed time. bench/peers/src/window.rs does the same in Rust.

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "bench/store/workload.h"
#include "benchmark/benchmark.h"

namespace ferrite::bench {

enum class Operation { kGet, kSet, kMixed, kIncr, kMGet, kMSet, kMDelete };

struct NamedOperation {
  std::string_view name;
  Operation operation;
  size_t batch = 1;
};
inline constexpr std::array<NamedOperation, 8> kOperations = {
    {{"get", Operation::kGet},
     {"set", Operation::kSet},
     {"mixed", Operation::kMixed},
     {"incr", Operation::kIncr},
     {"mget16", Operation::kMGet, 16},
     {"mget64", Operation::kMGet, 64},
     {"mset16", Operation::kMSet, 16},
     {"mdelete16", Operation::kMDelete, 16}}};

// One thing to measure: what every thread does, how it picks its keys, how many threads there are.
struct Cell {
  NamedOperation named;
  bool zipf = false;
  int threads = 1;

  std::string_view distribution() const { return zipf ? "zipf" : "uniform"; }
  // Deleting needs keys that are there, and so picks its own.
  bool is_possible() const { return !zipf || named.operation != Operation::kMDelete; }
};

// One thread's part of a measurement.
struct Window {
  std::chrono::duration<double> length;
  std::string_view value;
  uint64_t entries = 0;
  // Which thread this is, of how many.
  uint64_t thread = 0;
  uint64_t threads = 1;
};

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

// The operations on many keys.
template <class Map, class Picker>
Share RunBatches(Map& map, const NamedOperation& named, const Picker& picker, const Window& window,
                 Random random) {
  const size_t size = named.batch;
  std::vector<Key> keys(size);
  std::vector<std::string_view> views(size);
  typename Map::Batch batch(size);
  const auto choose = [&](auto pick) {
    for (size_t i = 0; i < size; ++i) {
      keys[i] = Key(pick(i));
      views[i] = keys[i].view();
    }
  };
  if (named.operation == Operation::kMDelete) {
    // What is deleted is set again at once, so that the map stays full; such a pair counts as one
    // operation per key. Each key comes from a stretch of entries of its own, so that neither
    // another thread nor the same batch has just deleted it.
    const uint64_t stretch = window.entries / (window.threads * size);
    return Repeat(window.length, size, [&]() -> uint64_t {
      choose(
          [&](size_t i) { return (window.thread * size + i) * stretch + Below(stretch, random); });
      const size_t deleted = map.MDelete(views, &batch);
      map.MSet(views, window.value, &batch);
      return deleted;
    });
  }
  return Repeat(window.length, size, [&]() -> uint64_t {
    choose([&](size_t) { return picker.Pick(random); });
    if (named.operation == Operation::kMSet) {
      map.MSet(views, window.value, &batch);
      return size;
    }
    const size_t found = map.MGet(views, &batch);
    benchmark::DoNotOptimize(batch);
    benchmark::ClobberMemory();
    return found;
  });
}

// One thread's part of a window.
template <class Map, class Picker>
Share RunWindow(Map& map, const NamedOperation& named, const Picker& picker, const Window& window,
                Random random) {
  typename Map::Buffer buffer;
  const auto get = [&](const Key& key) -> uint64_t {
    const bool found = map.Get(key.view(), &buffer);
    benchmark::DoNotOptimize(buffer);
    benchmark::ClobberMemory();
    return found;
  };
  const auto set = [&](const Key& key) -> uint64_t {
    map.Set(key.view(), window.value);
    return 1;
  };
  switch (named.operation) {
    case Operation::kGet:
      return Repeat(window.length, 1, [&] { return get(Key(picker.Pick(random))); });
    case Operation::kSet:
      return Repeat(window.length, 1, [&] { return set(Key(picker.Pick(random))); });
    case Operation::kMixed:
      return Repeat(window.length, 1, [&] {
        const Key key(picker.Pick(random));
        return random.Next() % 5 == 0 ? set(key) : get(key);
      });
    case Operation::kIncr:
      return Repeat(window.length, 1,
                    [&]() -> uint64_t { return map.Incr(Key(picker.Pick(random)).view()); });
    case Operation::kMGet:
    case Operation::kMSet:
    case Operation::kMDelete:
      break;
  }
  return RunBatches(map, named, picker, window, random);
}

}  // namespace ferrite::bench
