#include "server/settings/machine.h"

#include <gtest/gtest.h>

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace ferrite {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kGiB = uint64_t{1} << 30;

// A machine's /proc and /sys in a folder.
class ControlGroups : public testing::Test {
 protected:
  ~ControlGroups() override { std::filesystem::remove_all(root_); }

  void Write(const std::string& file, const std::string& text) const {
    const std::filesystem::path path = root_ + file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text << "\n";
  }
  // The lines of /proc/self/cgroup and of /proc/self/mountinfo.
  void Mount(const std::string& groups, const std::string& mounts) const {
    Write("/proc/self/cgroup", groups);
    Write("/proc/self/mountinfo",
          "22 1 0:20 / / rw,relatime shared:1 - ext4 /dev/vda rw\n" + mounts);
  }
  void MountUnified(const std::string& path) const {
    Mount("0::" + path, "30 22 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw");
  }
  uint64_t MemoryBytes() const { return ReadControlGroups(root_).memory_bytes.amount; }
  std::string MemorySource() const { return ReadControlGroups(root_).memory_bytes.source; }
  uint64_t CpuMillis() const { return ReadControlGroups(root_).cpu_millis.amount; }

  const std::string root_ = testing::TempDir() + "machine-" +
                            testing::UnitTest::GetInstance()->current_test_info()->name() + "-" +
                            std::to_string(getpid());
};

TEST_F(ControlGroups, WithoutThemNothingIsLimited) {
  EXPECT_EQ(MemoryBytes(), Limit::kNone);
  EXPECT_EQ(CpuMillis(), Limit::kNone);
  MountUnified("/");
  EXPECT_EQ(MemoryBytes(), Limit::kNone);
  Write("/sys/fs/cgroup/memory.max", "max");
  Write("/sys/fs/cgroup/memory.high", "max");
  Write("/sys/fs/cgroup/cpu.max", "max 100000");
  EXPECT_EQ(MemoryBytes(), Limit::kNone);
  EXPECT_EQ(CpuMillis(), Limit::kNone);
}

TEST_F(ControlGroups, TheGroupOfAServiceIsSeen) {
  MountUnified("/system.slice/ferrite.service");
  Write("/sys/fs/cgroup/system.slice/ferrite.service/memory.max", "268435456");
  Write("/sys/fs/cgroup/system.slice/ferrite.service/cpu.max", "150000 100000");
  EXPECT_EQ(MemoryBytes(), 256 * kMiB);
  EXPECT_EQ(MemorySource(), "memory.max of /sys/fs/cgroup/system.slice/ferrite.service");
  EXPECT_EQ(CpuMillis(), 1500u);
}

TEST_F(ControlGroups, TheTightestOfTheWholeChainCounts) {
  MountUnified("/a/b/c");
  Write("/sys/fs/cgroup/a/b/c/memory.max", "1073741824");
  Write("/sys/fs/cgroup/a/b/memory.max", "max");
  Write("/sys/fs/cgroup/a/memory.max", "134217728");
  Write("/sys/fs/cgroup/a/b/cpu.max", "50000 100000");
  Write("/sys/fs/cgroup/a/cpu.max", "400000 100000");
  EXPECT_EQ(MemoryBytes(), 128 * kMiB);
  EXPECT_EQ(MemorySource(), "memory.max of /sys/fs/cgroup/a");
  EXPECT_EQ(CpuMillis(), 500u);
  Write("/sys/fs/cgroup/memory.max", "67108864");  // as a container's namespace shows its own
  EXPECT_EQ(MemoryBytes(), 64 * kMiB);
}

TEST_F(ControlGroups, BeyondMemoryHighAProcessCrawls) {
  MountUnified("/a");
  Write("/sys/fs/cgroup/a/memory.max", "268435456");
  Write("/sys/fs/cgroup/a/memory.high", "201326592");
  EXPECT_EQ(MemoryBytes(), 192 * kMiB);
}

TEST_F(ControlGroups, AGroupBesideIsNoneOfOurs) {
  MountUnified("/a");
  Write("/sys/fs/cgroup/b/memory.max", "67108864");
  Write("/sys/fs/cgroup/a/below/memory.max", "67108864");
  EXPECT_EQ(MemoryBytes(), Limit::kNone);
}

constexpr char kVersion1[] =
    "35 22 0:31 / /sys/fs/cgroup/memory rw,relatime shared:12 - cgroup cgroup rw,memory\n"
    "36 22 0:32 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n";

TEST_F(ControlGroups, Version1HasAHierarchyForEachController) {
  Mount("5:memory:/m/inner\n4:cpu,cpuacct:/c\n1:name=systemd:/x", kVersion1);
  Write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712");
  Write("/sys/fs/cgroup/memory/m/memory.limit_in_bytes", "536870912");
  Write("/sys/fs/cgroup/memory/m/inner/memory.limit_in_bytes", "1073741824");
  Write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1");
  Write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000");
  Write("/sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_quota_us", "250000");
  Write("/sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_period_us", "100000");
  EXPECT_EQ(MemoryBytes(), 512 * kMiB);
  EXPECT_EQ(CpuMillis(), 2500u);
}

TEST_F(ControlGroups, Version1TellsOfGroupsAboveWhatIsMounted) {
  Mount("5:memory:/docker/1234",
        "35 22 0:31 /docker/1234 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory");
  Write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "1073741824");
  EXPECT_EQ(MemoryBytes(), kGiB);
  Write("/sys/fs/cgroup/memory/memory.stat", "cache 0\nhierarchical_memory_limit 268435456\nrss 1");
  EXPECT_EQ(MemoryBytes(), 256 * kMiB);
}

TEST_F(ControlGroups, BothVersionsMayStandSideBySide) {
  Mount("5:memory:/m\n0::/u",
        std::string(kVersion1) + "37 22 0:33 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw");
  Write("/sys/fs/cgroup/memory/m/memory.limit_in_bytes", "536870912");
  Write("/sys/fs/cgroup/unified/u/cpu.max", "100000 100000");
  EXPECT_EQ(MemoryBytes(), 512 * kMiB);
  EXPECT_EQ(CpuMillis(), 1000u);
}

TEST_F(ControlGroups, WhatIsMountedMayBeAPartOfTheHierarchy) {
  // A container without a namespace: the path is the machine's, the mount begins at the container.
  Mount("0::/kubepods/pod1/c1/app",
        R"(30 22 0:26 /kubepods/pod1/c1 /sys/fs/my\040groups ro - cgroup2 cgroup2 rw)");
  Write("/sys/fs/my groups/memory.max", "268435456");
  Write("/sys/fs/my groups/app/memory.max", "134217728");
  EXPECT_EQ(MemoryBytes(), 128 * kMiB);
}

TEST_F(ControlGroups, AGroupThatCannotBeSeenLeavesWhatIsMounted) {
  Mount("0::/../sibling", "30 22 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup2 rw");
  Write("/sys/fs/cgroup/memory.max", "268435456");
  EXPECT_EQ(MemoryBytes(), 256 * kMiB);
  Mount("0::/kubepods/pod12", "30 22 0:26 /kubepods/pod1 /sys/fs/cgroup ro - cgroup2 cgroup2 rw");
  EXPECT_EQ(MemoryBytes(), 256 * kMiB);
}

TEST_F(ControlGroups, NonsenseLimitsNothing) {
  Mount("nonsense\n0::", "30 22\n- cgroup2\n1 2 3 4 5 - cgroup2");
  EXPECT_EQ(MemoryBytes(), Limit::kNone);
  MountUnified("/a");
  Write("/sys/fs/cgroup/a/memory.max", "much");
  Write("/sys/fs/cgroup/a/cpu.max", "100000 0");
  EXPECT_EQ(MemoryBytes(), Limit::kNone);
  EXPECT_EQ(CpuMillis(), Limit::kNone);
}

TEST_F(ControlGroups, TheMachineCountsWhereItHasLess) {
  MountUnified("/a");
  Write("/sys/fs/cgroup/a/memory.max", "1152921504606846976");
  Write("/sys/fs/cgroup/a/cpu.max", "99000000 1000");
  const Machine without = Machine::This("/nonexistent");
  const Machine with = Machine::This(root_);
  EXPECT_EQ(with.memory_bytes.amount, without.memory_bytes.amount);
  EXPECT_EQ(with.cores.amount, without.cores.amount);
  EXPECT_GT(without.memory_bytes.amount, 64 * kMiB);
}

TEST_F(ControlGroups, APartOfACoreCountsAsOne) {
  MountUnified("/a");
  Write("/sys/fs/cgroup/a/cpu.max", "10000 100000");
  EXPECT_EQ(Machine::This(root_).cores.amount, 1u);
}

// The limits of a thread's own processors, and of a process's addresses, which a child may lower.
template <typename Lower>
Machine InAChild(Lower lower) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    lower();
    const Machine machine = Machine::This("/nonexistent");
    const uint64_t amounts[] = {machine.memory_bytes.amount, machine.cores.amount};
    _exit(write(ends[1], amounts, sizeof(amounts)) == sizeof(amounts) ? 0 : 1);
  }
  uint64_t amounts[2] = {};
  EXPECT_EQ(read(ends[0], amounts, sizeof(amounts)), static_cast<ssize_t>(sizeof(amounts)));
  close(ends[0]);
  close(ends[1]);
  Machine machine;
  machine.memory_bytes.amount = amounts[0];
  machine.cores.amount = amounts[1];
  return machine;
}

TEST(Machine, AffinityCounts) {
  const Machine machine = InAChild([] {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    sched_setaffinity(0, sizeof(one), &one);
  });
  EXPECT_EQ(machine.cores.amount, 1u);
}

TEST(Machine, ResourceLimitsCount) {
  const auto lower = [](auto resource, uint64_t bytes) {
    const rlimit limit{bytes, bytes};
    setrlimit(resource, &limit);
  };
  EXPECT_EQ(
      InAChild([&] { lower(RLIMIT_AS, kReservedAddressBytes + 512 * kMiB); }).memory_bytes.amount,
      512 * kMiB);
  EXPECT_EQ(
      InAChild([&] { lower(RLIMIT_DATA, kReservedDataBytes + 256 * kMiB); }).memory_bytes.amount,
      256 * kMiB);
}

}  // namespace
}  // namespace ferrite
