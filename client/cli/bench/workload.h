#pragma once

// Chooses the operation, key and value of each call of a bench.

#include <cstdint>
#include <optional>
#include <random>
#include <string>

#include "client/cli/bench/bench_options.h"
#include "client/cli/bench/zipf.h"

namespace ferrite::cli {

// The kinds of keys: entries of random bytes, and counters.
inline constexpr char kEntryKey = 'k';
inline constexpr char kCounterKey = 'n';

// Writes the name of key number `index` into `*key`: the letter `kind`, then the number, padded
// with zeros to `size` bytes.
void WriteKey(char kind, uint64_t index, int size, std::string* key);

// The smallest key size with which `keys` keys can be told apart.
int LeastKeySize(uint64_t keys);

// `size` random bytes, which cannot be compressed.
std::string RandomValue(int size, uint64_t seed);

// One per thread. Not thread-safe.
class Workload {
 public:
  enum class Kind { kGet, kSet, kIncr, kMGet, kMSet };

  // Workloads of different seeds draw different keys.
  Workload(const BenchOptions& options, uint64_t seed);

  // The kind of the next call or, with BenchMode::kPipeline, of the next operation of a frame.
  Kind NextKind();
  void NextKey(std::string* key);         // of an entry
  void NextCounterKey(std::string* key);  // of a counter; never that of an entry
  const std::string& value() const { return value_; }
  int batch() const { return options_.batch; }

 private:
  uint64_t NextIndex();

  const BenchOptions options_;
  std::mt19937_64 generator_;
  std::uniform_int_distribution<uint64_t> uniform_;
  std::optional<ZipfSampler> zipf_;
  std::bernoulli_distribution is_read_;
  const std::string value_;
};

}  // namespace ferrite::cli
