#pragma once

// Which keys a benchmark touches. bench/peers/src/workload.rs says the same in Rust.

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>
#include <vector>

namespace ferrite::bench {

// Spreads the bits of `x` (the finalizer of splitmix64). One to one, so distinct numbers stay
// distinct.
constexpr uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// The key of entry `index`: 16 printable characters, as text protocols want them, which hold the 64
// bits of its mixed number, six and two at a time. It is computed and not looked up, and in few
// steps, so that making a key costs no map a cache miss and takes little of what the processor can
// look ahead.
class Key {
 public:
  Key() = default;
  explicit Key(uint64_t index) {
    static_assert(std::endian::native == std::endian::little);
    constexpr uint64_t kEachByte = 0x0101010101010101u;
    const uint64_t mixed = Mix(index + 1);
    const uint64_t words[2] = {(mixed & 63 * kEachByte) + '0' * kEachByte,
                               (mixed >> 6 & 3 * kEachByte) + '0' * kEachByte};
    std::memcpy(bytes_.data(), words, sizeof(words));
  }

  std::string_view view() const { return {bytes_.data(), bytes_.size()}; }

 private:
  std::array<char, 16> bytes_;
};

// A splitmix64 generator.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(Mix(seed + 0x12345678)) {}

  uint64_t Next() { return Mix(state_ += 0x9e3779b97f4a7c15u); }

 private:
  uint64_t state_;
};

// A number below `limit`, each as likely as every other.
inline uint64_t Below(uint64_t limit, Random& random) {
  __extension__ using Uint128 = unsigned __int128;
  return static_cast<uint64_t>((static_cast<Uint128>(random.Next()) * limit) >> 64);
}

// Picks which entry comes next: every one is as likely as every other.
class Uniform {
 public:
  explicit Uniform(uint64_t entries) : entries_(entries) {}

  uint64_t Pick(Random& random) const { return Below(entries_, random); }

 private:
  uint64_t entries_;
};

// Picks entry i in proportion to (i + 1)^-0.99, the skew of YCSB: of a million entries the first
// gets 6.5 % of all picks. As the key of an entry is mixed from its number, the hot ones lie
// scattered.
//
// A pick must cost little beside a map's cache misses: so no logarithm, as rejection sampling
// needs, and no table of all entries, whose look-up would be a miss of its own. The numbers are cut
// into segments, the first 63 singly and then every octave into 32, and Walker's alias method
// chooses a segment by its exact weight: one look-up in 12 KiB for a million entries. Within a
// segment all entries are equally likely, which is off by at most 1.6 % for each.
class Zipf {
 public:
  explicit Zipf(uint64_t entries) {
    std::vector<Segment> segments;
    std::vector<double> weights;
    for (uint64_t rank = 1; rank <= entries;) {
      const uint64_t width =
          std::min(std::max<uint64_t>(std::bit_floor(rank) / 32, 1), entries + 1 - rank);
      segments.push_back({static_cast<uint32_t>(rank - 1), static_cast<uint32_t>(width)});
      weights.push_back(0);
      for (const uint64_t end = rank + width; rank < end; ++rank)
        weights.back() += std::pow(static_cast<double>(rank), -kExponent);
    }
    MakeChoices(segments, weights);
  }

  uint64_t Pick(Random& random) const {
    __extension__ using Uint128 = unsigned __int128;
    const Uint128 product = static_cast<Uint128>(random.Next()) * choices_.size();
    const Choice& choice = choices_[static_cast<uint64_t>(product >> 64)];
    const bool second = static_cast<uint64_t>(product) >= choice.threshold;
    const Segment& segment = choice.segments[second];
    return segment.first + Below(segment.width, random);
  }

 private:
  static constexpr double kExponent = 0.99;

  struct Segment {
    uint32_t first = 0;
    uint32_t width = 0;
  };
  // segments[0] below the threshold, otherwise segments[1].
  struct Choice {
    uint64_t threshold = std::numeric_limits<uint64_t>::max();
    std::array<Segment, 2> segments;
  };

  // Walker's alias method: each choice keeps its own segment as far as that one's weight reaches,
  // and is filled up with one that weighs more than its share.
  void MakeChoices(const std::vector<Segment>& segments, std::vector<double> weights) {
    double total = 0;
    for (const double weight : weights) total += weight;
    std::vector<size_t> light, heavy;
    for (size_t i = 0; i < weights.size(); ++i) {
      choices_.push_back({.segments = {segments[i], segments[i]}});
      weights[i] *= static_cast<double>(weights.size()) / total;
      (weights[i] < 1 ? light : heavy).push_back(i);
    }
    while (!light.empty() && !heavy.empty()) {
      const size_t from = heavy.back(), to = light.back();
      light.pop_back();
      choices_[to].threshold = static_cast<uint64_t>(std::ldexp(weights[to], 64));
      choices_[to].segments[1] = segments[from];
      weights[from] -= 1 - weights[to];
      if (weights[from] < 1) {
        heavy.pop_back();
        light.push_back(from);
      }
    }
  }

  std::vector<Choice> choices_;
};

// Tells whether two programs pick alike: a digest of the first picks of each distribution.
inline uint64_t PicksDigest(const Uniform& uniform, const Zipf& zipf) {
  Random random(0);
  uint64_t digest = 0;
  for (int i = 0; i < 1000; ++i) digest = Mix(digest ^ uniform.Pick(random) ^ zipf.Pick(random));
  return digest;
}

}  // namespace ferrite::bench
