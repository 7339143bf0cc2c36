#pragma once

// How much memory this process has, as the kernel counts it.

#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <string>

namespace ferrite::bench {

inline uint64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  uint64_t total_pages = 0, resident_pages = 0;
  statm >> total_pages >> resident_pages;
  return resident_pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

// The most that the process had since it began, or since ForgetResidentPeak().
inline uint64_t ResidentPeakBytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word != "VmHWM:") continue;
    uint64_t kibibytes = 0;
    status >> kibibytes;
    return kibibytes * 1024;
  }
  return 0;
}

inline void ForgetResidentPeak() { std::ofstream("/proc/self/clear_refs") << "5"; }

}  // namespace ferrite::bench
