// The store's parts, each on its own.

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/base/config.h"
#include "gtest/gtest.h"
#include "store/entries/words.h"
#include "store/memory/block_heap.h"
#include "store/memory/huge_memory.h"
#include "store/memory/page_pool.h"
#include "store/memory/size_class.h"
#include "store/memory/slot_allocator.h"
#include "store/value.h"

namespace ferrite {
namespace {

// Of the process.
size_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  size_t total_pages = 0, resident_pages = 0;
  statm >> total_pages >> resident_pages;
  return resident_pages * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

TEST(Words, ACopyOfEachSizeIsExact) {
  const std::string shared = "0123456789abcdefghijklmnopqrstuvwxyz" + std::string(200, '+');
  for (size_t size = 0; size <= 200; ++size) {
    std::string copy(size + 64, '.');
    CopyShared(copy.data(), shared.data(), size);
    EXPECT_EQ(copy, shared.substr(0, size) + std::string(64, '.')) << size;
  }
}

TEST(Words, EachByteOfEachSizeIsCompared) {
  const std::string shared = "0123456789abcdefghijklmnopqrstuvwxyz" + std::string(200, '+');
  for (size_t size = 1; size <= 100; ++size) {
    std::string bytes = shared.substr(0, size);
    EXPECT_TRUE(EqualShared(shared.data(), bytes.data(), size)) << size;
    for (char& byte : bytes) {
      byte ^= 1;
      EXPECT_FALSE(EqualShared(shared.data(), bytes.data(), size)) << size;
      byte ^= 1;
    }
  }
}

TEST(SizeClass, IsTheSmallestThatHoldsTheBytes) {
  for (size_t bytes = 1; bytes <= kMaxSlotBytes; ++bytes) {
    const uint8_t size_class = SizeClassOf(bytes);
    ASSERT_GE(SlotBytes(size_class), bytes);
    if (size_class > 0) {
      ASSERT_LT(SlotBytes(size_class - 1), bytes);
    }
  }
}

TEST(BlockHeap, GivesBlocksThatDoNotOverlapAndTakesAllBack) {
  struct Block {
    unsigned char* memory;
    size_t bytes;
    unsigned char content;
  };
  BlockHeap& heap = BlockHeap::Instance();
  const size_t unused_before = heap.unused_bytes();
  std::mt19937 random(1);
  std::vector<Block> blocks;
  const auto free_one = [&] {
    std::swap(blocks[random() % blocks.size()], blocks.back());
    const Block& block = blocks.back();
    for (size_t i = 0; i < block.bytes; ++i) ASSERT_EQ(block.memory[i], block.content);
    heap.Free(block.memory, block.bytes);
    blocks.pop_back();
  };
  for (int i = 0; i < 20'000; ++i) {
    if (blocks.size() > 1000) free_one();
    const size_t bytes = 1 + random() % (i % 2 == 0 ? 1000 : 20'000);
    EXPECT_GE(BlockHeap::MemoryBytes(bytes), bytes);
    auto* memory = static_cast<unsigned char*>(heap.Allocate(bytes));
    ASSERT_EQ(reinterpret_cast<uintptr_t>(memory) % 16, 0u);
    blocks.push_back({memory, bytes, static_cast<unsigned char>(i)});
    std::memset(memory, blocks.back().content, bytes);
  }
  while (!blocks.empty()) free_one();
  EXPECT_EQ(heap.unused_bytes(), unused_before);
}

TEST(BlockHeap, WastesLittle) {
  constexpr size_t kHeader = 16;  // of a value
  double waste = 0;
  size_t sizes = 0;
  for (size_t bytes = 1024 + kHeader; bytes <= 16384 + kHeader; bytes += 16, ++sizes) {
    const double own = static_cast<double>(BlockHeap::MemoryBytes(bytes)) / bytes - 1;
    EXPECT_LT(own, 0.17) << bytes;
    waste += own;
  }
  EXPECT_LT(waste / sizes, 0.08);
  for (size_t value = 1024; value <= 16384; value *= 2) {
    EXPECT_LT(BlockHeap::MemoryBytes(value + kHeader), value * 1.092) << value;
  }
}

TEST(BlockHeap, HasFewSizes) {
  EXPECT_EQ(block_shapes::kShapes.size(), 35u);
  EXPECT_EQ(block_shapes::kShapes.back().block_bytes(), 17728u);
}

TEST(BlockHeap, OneBlockOfManyKeepsLittle) {
  BlockHeap& heap = BlockHeap::Instance();
  for (const size_t bytes : {1040, 2064, 4112, 8208, 16400}) {
    const size_t unused_before = heap.unused_bytes();
    std::vector<void*> blocks;
    for (int i = 0; i < 1000; ++i) blocks.push_back(heap.Allocate(bytes));
    for (int i = 1; i < 1000; ++i) heap.Free(blocks[i], bytes);
    EXPECT_LE(heap.unused_bytes() - unused_before, 52u << 10) << bytes;
    heap.Free(blocks[0], bytes);
  }
}

TEST(BlockHeap, HasNoMoreInMemoryThanItTells) {
#if defined(ABSL_HAVE_THREAD_SANITIZER)
  GTEST_SKIP() << "the sanitizer has memory of its own for each byte";
#endif
  BlockHeap& heap = BlockHeap::Instance();
  const size_t large = 32'000, small = 20'000;
  const size_t before = ResidentBytes();
  std::vector<void*> blocks;
  for (int i = 0; i < 1000; ++i) {
    void* const block = heap.Allocate(large);
    std::memset(block, 1, large);
    heap.Free(block, large);
    blocks.push_back(heap.Allocate(small));
    std::memset(blocks.back(), 1, small);
  }
  const size_t growth = ResidentBytes() - before;
  EXPECT_LT(growth, 1000 * BlockHeap::MemoryBytes(small) * 1.1);
  for (void* block : blocks) heap.Free(block, small);
}

TEST(HugeArena, GivesZeroedMemoryThatDoesNotOverlap) {
  HugePageQueue huge;
  HugeArena arena(&huge);
  std::set<char*> taken;
  for (const size_t bytes : {100ul, 1ul << 20, 3ul << 20, 64ul, 1ul << 20, 2ul << 20}) {
    char* memory = static_cast<char*>(arena.Allocate(bytes));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % 64, 0u);
    for (size_t i = 0; i < bytes; ++i) {
      ASSERT_EQ(memory[i], 0);
      memory[i] = 1;
    }
    EXPECT_TRUE(taken.insert(memory).second);
  }
}

TEST(PagePool, KeepsToTheBudget) {
  MemoryBudget budget(3 * kPageBytes);
  HugePageQueue huge;
  PagePool pool(&budget, &huge);
  std::set<void*> pages;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(pages.insert(pool.Acquire()).second);
  EXPECT_EQ(pool.Acquire(), nullptr);
  EXPECT_EQ(budget.used_bytes(), 3 * kPageBytes);
  pool.Release(*pages.begin());
  EXPECT_EQ(pool.Acquire(), *pages.begin());
}

class SlotAllocatorTest : public testing::Test {
 protected:
  ~SlotAllocatorTest() override {
    for (void* page : pages_) std::free(page);
  }
  void* NewPage() { return pages_.emplace_back(std::aligned_alloc(kPageBytes, kPageBytes)); }
  void AddPage(uint8_t size_class) {
    ASSERT_TRUE(slots_.AddPage(SlotAllocator::MakePage(size_class, NewPage())));
  }
  SlotAllocator slots_;
  std::vector<void*> pages_;
};

TEST_F(SlotAllocatorTest, FillsAPageAndNamesEachSlot) {
  EXPECT_EQ(slots_.Allocate(8), nullptr);
  AddPage(8);
  std::set<void*> taken;
  while (void* slot = slots_.Allocate(8)) {
    EXPECT_TRUE(taken.insert(slot).second);
    EXPECT_EQ(slots_.SlotOf(slots_.RefOf(slot)), slot);
  }
  EXPECT_EQ(taken.size(), (kPageBytes - Page::kFirstSlotOffset) / SlotBytes(8));
  EXPECT_EQ(slots_.Allocate(9), nullptr);
}

TEST_F(SlotAllocatorTest, KnowsTheNumberOfASlotByAnyOfItsBytes) {
  for (uint8_t size_class = 0; size_class < kSizeClassCount; ++size_class) {
    AddPage(size_class);
    Page* page = slots_.page(size_class);
    for (uint32_t slot = 0; slot < page->slot_count; ++slot) {
      ASSERT_EQ(page->SlotNumberOf(page->SlotAt(slot)), slot);
      ASSERT_EQ(page->SlotNumberOf(page->SlotAt(slot) + page->slot_bytes - 1), slot);
    }
  }
}

TEST_F(SlotAllocatorTest, GivesALargerSlotIfLittleOfItIsWasted) {
  AddPage(4);
  EXPECT_EQ(slots_.AllocateLarger(4), nullptr);
  EXPECT_EQ(slots_.AllocateLarger(0), nullptr);  // 96 bytes for 64
  void* slot = slots_.AllocateLarger(2);         // 96 bytes for 80
  ASSERT_NE(slot, nullptr);
  EXPECT_EQ(Page::Of(slot)->size_class, 4);
  EXPECT_EQ(slots_.AllocateLarger(kSizeClassCount - 1), nullptr);
}

TEST_F(SlotAllocatorTest, GivesAPageBackWithItsLastSlotAndReusesItsNumber) {
  AddPage(60);
  void* first = slots_.Allocate(60);
  void* second = slots_.Allocate(60);
  EXPECT_EQ(slots_.Free(first), nullptr);
  EXPECT_EQ(slots_.Free(second), pages_[0]);
  EXPECT_EQ(slots_.Allocate(60), nullptr);
  EXPECT_EQ(slots_.page(0), nullptr);
  AddPage(3);
  EXPECT_EQ(slots_.page(0), pages_[1]);
}

TEST_F(SlotAllocatorTest, ADrainingPageGivesNoSlots) {
  AddPage(5);
  void* first = slots_.Allocate(5);
  void* second = slots_.Allocate(5);
  slots_.SetDraining(Page::Of(first), true);
  EXPECT_EQ(slots_.Allocate(5), nullptr);
  EXPECT_EQ(slots_.Free(first), nullptr);
  EXPECT_EQ(slots_.Allocate(5), nullptr);
  slots_.SetDraining(Page::Of(second), false);
  EXPECT_NE(slots_.Allocate(5), nullptr);
}

TEST_F(SlotAllocatorTest, WalksTheLiveSlotsOfAPage) {
  AddPage(0);
  Page* page = slots_.page(0);
  EXPECT_EQ(page->NextLive(0), page->slot_count);
  const std::set<uint32_t> live = {0, 63, 64, 127, 500, page->slot_count - 1u};
  for (const uint32_t slot : live) page->set_live(slot);
  std::set<uint32_t> seen;
  for (uint32_t slot = page->NextLive(0); slot < page->slot_count; slot = page->NextLive(slot + 1))
    seen.insert(slot);
  EXPECT_EQ(seen, live);
  page->clear_live(64);
  EXPECT_EQ(page->NextLive(64), 127u);
}

TEST(Value, KeepsItsBlockAlive) {
  Value moved;
  {
    ValueBlock* block = ValueBlock::Create("bytes");
    Value value;
    value.Assign(block);
    block->Unref();
    moved = std::move(value);
  }
  EXPECT_EQ(moved.view(), "bytes");
  moved.Assign("other");
  EXPECT_EQ(moved.view(), "other");
}

}  // namespace
}  // namespace ferrite
