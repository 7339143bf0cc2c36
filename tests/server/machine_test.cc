#include "server/settings/machine.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace ferrite {
namespace {

// A folder as a container sees its control group.
class ControlGroupTest : public testing::Test {
 protected:
  ControlGroupTest() {
    std::filesystem::create_directories(group_ + "/cpu");
    std::filesystem::create_directories(group_ + "/memory");
  }
  ~ControlGroupTest() override { std::filesystem::remove_all(group_); }

  void Write(const std::string& file, const std::string& text) const {
    std::ofstream(group_ + "/" + file) << text << "\n";
  }
  int Cores() const { return AvailableCores(group_); }
  uint64_t MemoryBytes() const { return AvailableMemoryBytes(group_); }

  const int machine_cores_ = static_cast<int>(std::thread::hardware_concurrency());
  const std::string group_ = testing::TempDir() + "group-" +
                             testing::UnitTest::GetInstance()->current_test_info()->name() + "-" +
                             std::to_string(getpid());
};

TEST_F(ControlGroupTest, WithoutLimitsTheMachineCounts) {
  EXPECT_EQ(Cores(), machine_cores_);
  const uint64_t machine_bytes = MemoryBytes();
  EXPECT_GT(machine_bytes, uint64_t{64} << 20);
  Write("cpu.max", "max 100000");
  Write("memory.max", "max");
  EXPECT_EQ(Cores(), machine_cores_);
  EXPECT_EQ(MemoryBytes(), machine_bytes);
  Write("cpu/cpu.cfs_quota_us", "-1");
  Write("cpu/cpu.cfs_period_us", "100000");
  Write("memory/memory.limit_in_bytes", "9223372036854771712");
  EXPECT_EQ(Cores(), machine_cores_);
  EXPECT_EQ(MemoryBytes(), machine_bytes);
}

TEST_F(ControlGroupTest, APartOfACoreCountsAsOne) {
  Write("cpu.max", "10000 100000");
  EXPECT_EQ(Cores(), 1);
  Write("cpu.max", "100000 100000");
  EXPECT_EQ(Cores(), 1);
  Write("cpu.max", "150000 100000");
  EXPECT_EQ(Cores(), std::min(machine_cores_, 2));
  Write("cpu.max", "9900000 100000");
  EXPECT_EQ(Cores(), std::min(machine_cores_, 99));
}

TEST_F(ControlGroupTest, Version1SaysTheSameInOtherFiles) {
  Write("cpu/cpu.cfs_quota_us", "50000");
  Write("cpu/cpu.cfs_period_us", "100000");
  EXPECT_EQ(Cores(), 1);
  Write("memory/memory.limit_in_bytes", "33554432");
  EXPECT_EQ(MemoryBytes(), 33554432u);
}

TEST_F(ControlGroupTest, MemoryIsLimited) {
  Write("memory.max", "67108864");
  EXPECT_EQ(MemoryBytes(), 67108864u);
}

}  // namespace
}  // namespace ferrite
