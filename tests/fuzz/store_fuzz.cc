// Bytes become calls: the store beside the model of tests/store/model_fixture.h, steered by
// libFuzzer, or by replay.cc. A difference ends the process.

#include <cstddef>
#include <cstdint>
#include <span>

#include "tests/store/model_fixture.h"

namespace ferrite {
namespace {

// Numbers from bytes; zeros when they are used up.
class ByteSource {
 public:
  explicit ByteSource(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  bool empty() const { return bytes_.empty(); }
  uint64_t Take(int count) {
    uint64_t number = 0;
    for (; count > 0 && !bytes_.empty(); --count) {
      number = number << 8 | bytes_.front();
      bytes_ = bytes_.subspan(1);
    }
    return number;
  }
  uint32_t Below(uint32_t bound) {
    if (bound <= 1) return 0;
    return static_cast<uint32_t>(Take(bound <= 256 ? 1 : bound <= 65536 ? 2 : 4) % bound);
  }

 private:
  std::span<const uint8_t> bytes_;
};

ModelOptions AnyOptions(ByteSource* bytes) {
  constexpr size_t kPageBytes = size_t{64} << 10;
  ModelOptions options;
  options.shards = size_t{1} << bytes->Below(3);
  if (bytes->Below(3) != 0) options.max_memory_bytes = (16 + bytes->Below(48)) * kPageBytes;
  options.evict = bytes->Below(4) != 0;
  options.keys = 4 << bytes->Below(10);
  options.expiry = bytes->Below(4) != 0;
  return options;
}

class FuzzRun : public ModelFixture {
 public:
  explicit FuzzRun(ByteSource* bytes) : ModelFixture(AnyOptions(bytes)), bytes_(*bytes) {}

  void TestBody() override {
    while (!bytes_.empty()) {
      switch (Below(32)) {
        case 0:
          Fill();
          break;
        case 1:
          SetWallClock(-static_cast<int64_t>(Below(100)));
          break;
        case 2:
          SetWallClock(Below(10'000));
          break;
        case 3:
          DoFlush();
          break;
        default:
          Step();
      }
    }
    ExpectSameContent();
    DoFlush();
  }

 private:
  uint32_t Below(uint32_t bound) override { return bytes_.Below(bound); }
  uint64_t Any() override { return bytes_.Take(8); }

  // Many sets for few bytes, so that memory is soon full.
  void Fill() {
    const uint32_t size = Below(4500);
    const uint32_t begin = Below(options_.keys);
    for (uint32_t i = begin; i < begin + 200; ++i) {
      const std::string key = "k" + std::to_string(i % options_.keys);
      Look(key);
      const SetResult result =
          store_->Set(key, std::string(size, 'f'), {.return_previous = evicts()});
      if (Refused(result.outcome == SetOutcome::kMemoryFull)) continue;
      const ModelEntry* const old = FindUnlessEvicted(key, result.previous.found);
      if (evicts()) ExpectSame(result.previous, old);
      Write(key, std::string(size, 'f'), result.version, 0);
    }
  }

  ByteSource& bytes_;
};

}  // namespace
}  // namespace ferrite

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  GTEST_FLAG_SET(break_on_failure, true);
  ferrite::ByteSource bytes({data, size});
  ferrite::FuzzRun(&bytes).TestBody();
  return 0;
}
