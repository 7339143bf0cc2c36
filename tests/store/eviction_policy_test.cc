// How often the store misses, beside an exact LRU of as many entries. The margins are wide: which
// keys meet in a counter of the sketch differs from process to process.

#include <cmath>
#include <functional>
#include <list>
#include <random>
#include <unordered_map>

#include "tests/store/store_fixture.h"

namespace ferrite {
namespace {

constexpr size_t kPolicyLimit = 4 << 20;

class LruModel {
 public:
  explicit LruModel(size_t capacity) : capacity_(capacity) {}

  // Whether the key is there; now it is, and takes so much of the capacity.
  bool Use(uint64_t key, size_t weight = 1) {
    const auto [it, is_new] = places_.try_emplace(key);
    if (is_new) {
      weight_ += weight;
    } else {
      order_.erase(it->second);
    }
    order_.push_front({key, weight});
    it->second = order_.begin();
    while (weight_ > capacity_) {
      weight_ -= order_.back().weight;
      places_.erase(order_.back().key);
      order_.pop_back();
    }
    return !is_new;
  }

 private:
  struct Used {
    uint64_t key;
    size_t weight;
  };
  const size_t capacity_;
  size_t weight_ = 0;
  std::list<Used> order_;
  std::unordered_map<uint64_t, std::list<Used>::iterator> places_;
};

class EvictionPolicyTest : public StoreTest {
 protected:
  EvictionPolicyTest() : StoreTest({.shards = 1, .max_memory_bytes = kPolicyLimit}) {
    for (int i = 0; i < 100'000; ++i) Use(uint64_t{1} << 40 | i);
    capacity_ = store_->Stats().entries;
  }

  // Whether the key is there; now it is.
  bool Use(uint64_t key, size_t value_bytes = 100) {
    const std::string name = std::to_string(key);
    std::string padded = std::string(16 - name.size(), '0') + name;
    if (Read(padded).found) return true;
    Set(padded, std::string(value_bytes, 'v'));
    return false;
  }

  // Misses among the second half of the requests: the store's divided by those of LRU.
  double MissesBesideLru(const std::function<uint64_t(size_t)>& key_of) {
    LruModel lru(capacity_);
    const size_t requests = 30 * capacity_;
    double misses = 0;
    double lru_misses = 0;
    for (size_t i = 0; i < requests; ++i) {
      const uint64_t key = key_of(i);
      const double counts = i >= requests / 2 ? 1 : 0;
      misses += Use(key) ? 0 : counts;
      lru_misses += lru.Use(key) ? 0 : counts;
    }
    return misses / lru_misses;
  }

  // Low numbers more often than high ones: about as zipf 1.0 over this many.
  uint64_t Skewed(size_t keys) {
    const double exponent = std::uniform_real_distribution<double>()(random_);
    return static_cast<uint64_t>(std::pow(static_cast<double>(keys), exponent)) - 1;
  }

  std::mt19937_64 random_{1};
  size_t capacity_ = 0;
};

TEST_F(EvictionPolicyTest, KeepsWhatIsUsedMostOften) {
  EXPECT_LT(MissesBesideLru([&](size_t) { return Skewed(6 * capacity_); }), 0.95);
}

TEST_F(EvictionPolicyTest, KeepsMostOfALoopThatDoesNotFit) {
  // LRU misses everything; a third has to be missed.
  EXPECT_LT(MissesBesideLru([&](size_t i) { return i % (capacity_ * 3 / 2); }), 0.6);
}

// Sizes of 16 B to 4 KiB, in slots and in blocks: what is lost between them, and where one size
// displaces another, may not cost what the policy gains.
TEST_F(EvictionPolicyTest, KeepsMoreThanLruOfMixedSizes) {
  constexpr size_t kOverhead = 100;  // of an entry, its key included
  constexpr size_t kMeanBytes = 800;
  LruModel lru(kPolicyLimit);
  double misses = 0, lru_misses = 0;
  for (int i = 0; i < 500'000; ++i) {
    const uint64_t key = Skewed(20 * kPolicyLimit / kMeanBytes);
    const double octaves = static_cast<double>(key * 2654435761u % 1024) / 1024 * 8;
    const auto value_bytes = static_cast<size_t>(16 * std::exp2(octaves));
    misses += !Use(key, value_bytes);
    lru_misses += !lru.Use(key, value_bytes + kOverhead);
  }
  EXPECT_LT(misses / lru_misses, 0.95);
}

TEST_F(EvictionPolicyTest, LetsScansPass) {
  EXPECT_LT(MissesBesideLru([&](size_t i) {
              const bool scans = i / capacity_ % 3 == 2;
              return scans ? (uint64_t{1} << 39) + i : Skewed(6 * capacity_);
            }),
            0.95);
}

TEST_F(EvictionPolicyTest, FollowsAHotSetThatShifts) {
  EXPECT_LT(MissesBesideLru([&](size_t i) {
              const uint64_t phase = i / (4 * capacity_);
              return phase << 32 | random_() % (capacity_ / 2);
            }),
            1.1);
}

// Between two shifts the entries in use are to be told from those that are used once.
TEST_F(EvictionPolicyTest, FollowsAHotSetThatSeldomShifts) {
  EXPECT_LT(MissesBesideLru([&](size_t i) {
              if (random_() % 10 == 0) return random_() % (4 * capacity_);
              const uint64_t phase = 1 + i / (8 * capacity_);
              return phase << 32 | random_() % (capacity_ * 6 / 10);
            }),
            1.25);
}

TEST_F(EvictionPolicyTest, FollowsPopularityThatDriftsSlowly) {
  EXPECT_LT(MissesBesideLru(
                [&](size_t i) { return (uint64_t{1} << 38) + i / 16 - Skewed(2 * capacity_); }),
            1.03);
}

TEST_F(EvictionPolicyTest, FollowsPopularityThatDrifts) {
  EXPECT_LT(MissesBesideLru(
                [&](size_t i) { return (uint64_t{1} << 38) + i / 4 - Skewed(2 * capacity_); }),
            1.1);
}

}  // namespace
}  // namespace ferrite
