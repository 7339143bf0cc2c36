#include "client/cli/bench/workload.h"

namespace ferrite::cli {
void WriteKey(char kind, uint64_t index, int size, std::string* key) {
  key->assign(size, '0');
  (*key)[0] = kind;
  for (int i = size - 1; index != 0; --i, index /= 10) {
    (*key)[i] = static_cast<char>('0' + index % 10);
  }
}

int LeastKeySize(uint64_t keys) { return static_cast<int>(std::to_string(keys - 1).size()) + 1; }

std::string RandomValue(int size, uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::string value(size, '\0');
  for (char& c : value) c = static_cast<char>(generator());
  return value;
}

Workload::Workload(const BenchOptions& options, uint64_t seed)
    : options_(options),
      generator_(seed),
      uniform_(0, options.keys - 1),
      is_read_(options.read_ratio),
      value_(RandomValue(options.value_size, seed)) {
  if (options.zipf_theta.has_value()) zipf_.emplace(options.keys, *options.zipf_theta);
}

Workload::Kind Workload::NextKind() {
  const bool batched = options_.mode == BenchMode::kMGet ||
                       (options_.mode == BenchMode::kAuto && options_.batch > 1);
  const Kind read = batched ? Kind::kMGet : Kind::kGet;
  const Kind write = batched ? Kind::kMSet : Kind::kSet;
  switch (options_.op) {
    case BenchOp::kGet:
      return read;
    case BenchOp::kSet:
      return write;
    case BenchOp::kIncr:
      return Kind::kIncr;
    case BenchOp::kMixed:
      return is_read_(generator_) ? read : write;
  }
  return read;
}

void Workload::NextKey(std::string* key) {
  WriteKey(kEntryKey, NextIndex(), options_.key_size, key);
}

void Workload::NextCounterKey(std::string* key) {
  WriteKey(kCounterKey, NextIndex(), options_.key_size, key);
}

uint64_t Workload::NextIndex() {
  return zipf_.has_value() ? (*zipf_)(generator_) : uniform_(generator_);
}

}  // namespace ferrite::cli
