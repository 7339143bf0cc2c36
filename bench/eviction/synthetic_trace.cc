#include "bench/eviction/synthetic_trace.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <unordered_map>

#include "bench/eviction/exact_zipf.h"
#include "bench/store/workload.h"

namespace ferrite::bench {
namespace {

constexpr uint32_t kValueBytes = 500;
// Values of mixed sizes: from tens of bytes to some KiB, each power of two as likely as the next.
constexpr double kMinMixedBytes = 16;
constexpr double kMaxMixedBytes = 4096;

// Whatever is in the upper bits keeps the keys of different phases and parts apart.
constexpr uint64_t kPart = uint64_t{1} << 32;

// What the next key is, in a cache in which `fit` entries fit.
using NextKey = std::function<uint64_t(Random&, size_t request)>;

NextKey ZipfKeys(size_t fit, double exponent) {
  return
      [zipf = ExactZipf(10 * fit, exponent)](Random& random, size_t) { return zipf.Pick(random); };
}

NextKey ZipfAndScans(size_t fit) {
  return [fit, zipf = ExactZipf(4 * fit, 0.9)](Random& random, size_t request) {
    const size_t turn = request % (3 * fit);
    return turn < 2 * fit ? zipf.Pick(random) : kPart + request;
  };
}

NextKey Loop(size_t fit) {
  return [length = fit * 3 / 2](Random&, size_t request) { return request % length; };
}

NextKey ShiftingSet(size_t fit, size_t phase_length) {
  return [fit, phase_length](Random& random, size_t request) {
    const size_t phase = request / (phase_length * fit);
    if (Fraction(random) < 0.1) return kPart + Uniform(4 * fit).Pick(random);
    return (phase + 2) * kPart + Uniform(fit * 6 / 10).Pick(random);
  };
}

NextKey ShiftingZipf(size_t fit, size_t phase_length) {
  return [fit, phase_length, zipf = ExactZipf(4 * fit, 1.0)](Random& random, size_t request) {
    const size_t phase = request / (phase_length * fit);
    return Mix(zipf.Pick(random) + phase * kPart) % (4 * fit);
  };
}

NextKey Drift(size_t fit) {
  return [zipf = ExactZipf(2 * fit, 0.8)](Random& random, size_t request) {
    return kPart + request / 4 - zipf.Pick(random);
  };
}

// The size of a key's value, always the same for the same key.
uint32_t MixedBytes(uint64_t key) {
  const double fraction = static_cast<double>(Mix(key + 12345) >> 11) * 0x1p-53;
  return static_cast<uint32_t>(kMinMixedBytes *
                               std::pow(kMaxMixedBytes / kMinMixedBytes, fraction));
}

NextKey NextKeyOf(std::string_view name, size_t fit) {
  if (name == "scan") return ZipfAndScans(fit);
  if (name == "loop") return Loop(fit);
  if (name == "shift_set") return ShiftingSet(fit, 3);
  if (name == "seldom_set") return ShiftingSet(fit, 10);
  if (name == "shift_zipf") return ShiftingZipf(fit, 3);
  if (name == "seldom_zipf") return ShiftingZipf(fit, 10);
  if (name == "drift") return Drift(fit);
  if (name == "mixed") return ZipfKeys(fit, 0.9);
  return ZipfKeys(fit, std::strtod(std::string(name.substr(name.find('_') + 1)).c_str(), nullptr));
}

}  // namespace

const std::vector<SyntheticTrace>& SyntheticTraces() {
  static const std::vector<SyntheticTrace> traces = {
      {"zipf_0.7", "zipf 0.7 over 10 F keys"},
      {"zipf_0.8", "zipf 0.8 over 10 F keys"},
      {"zipf_0.9", "zipf 0.9 over 10 F keys"},
      {"zipf_1.0", "zipf 1.0 over 10 F keys"},
      {"zipf_1.1", "zipf 1.1 over 10 F keys"},
      {"zipf_1.2", "zipf 1.2 over 10 F keys"},
      {"scan",
       "zipf 0.9 over 4 F keys, and after every 2 F requests a scan of F keys that never come "
       "again"},
      {"loop", "1.5 F keys in order, again and again"},
      {"shift_set",
       "nine of ten requests to 0.6 F keys, which are others every 3 F requests, and one to 4 F "
       "keys"},
      {"shift_zipf", "zipf 1.0 over 4 F keys, which change ranks every 3 F requests"},
      {"seldom_set",
       "nine of ten requests to 0.6 F keys, which are others every 10 F requests, and one to 4 F "
       "keys"},
      {"seldom_zipf", "zipf 1.0 over 4 F keys, which change ranks every 10 F requests"},
      {"drift", "zipf 0.8 over the 2 F newest keys; every fourth request makes a new one"},
      {"mixed", "zipf 0.9 over 10 F keys with values of 16 B to 4 KiB"},
  };
  return traces;
}

size_t MeanValueBytes(std::string_view name) {
  if (name != "mixed") return kValueBytes;
  return static_cast<size_t>((kMaxMixedBytes - kMinMixedBytes) /
                             std::log(kMaxMixedBytes / kMinMixedBytes));
}

Trace MakeSyntheticTrace(std::string_view name, size_t requests, size_t entries_that_fit) {
  const NextKey next_key = NextKeyOf(name, entries_that_fit);
  Random random(entries_that_fit);
  TraceBuilder<uint64_t, std::unordered_map<uint64_t, uint32_t>> builder;
  for (size_t request = 0; request < requests; ++request) {
    const uint64_t key = next_key(random, request);
    builder.Add(key, name == "mixed" ? MixedBytes(key) : kValueBytes,
                [](uint64_t index) { return std::string(Key(index).view()); });
  }
  return builder.Take();
}

}  // namespace ferrite::bench
