#include "server/metrics/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "server/metrics/family.h"

namespace ferrite {
namespace {

// The fields of /proc/self/stat from the third on: the second, the name, may hold spaces.
std::vector<double> StatFields() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream rest(line.substr(name_end + 1));
  std::string state;
  rest >> state;
  return {std::istream_iterator<double>(rest), std::istream_iterator<double>()};
}

// Seconds since the epoch at which the machine was started.
double BootTime() {
  std::ifstream file("/proc/stat");
  for (std::string name; file >> name; file.ignore(1 << 16, '\n')) {
    double seconds;
    if (name == "btime" && file >> seconds) return seconds;
  }
  return 0;
}

size_t OpenDescriptors() {
  std::error_code error;
  const std::filesystem::directory_iterator begin("/proc/self/fd", error);
  return error ? 0
               : static_cast<size_t>(std::distance(begin, std::filesystem::directory_iterator()));
}

}  // namespace

std::vector<prometheus::MetricFamily> ProcessMetrics::Collect() const {
  std::vector<prometheus::MetricFamily> families;
  // Positions as in proc(5), less 4 as pid, name and state are gone and it counts from 1.
  const std::vector<double> fields = StatFields();
  if (fields.size() > 20) {
    const double ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    families.push_back(SingleCounter("process_cpu_seconds_total",
                                     "User and system CPU time spent, in seconds.",
                                     (fields[14 - 4] + fields[15 - 4]) / ticks));
    families.push_back(SingleGauge("process_start_time_seconds",
                                   "Start of the process, in seconds since the epoch.",
                                   BootTime() + fields[22 - 4] / ticks));
    families.push_back(SingleGauge("process_virtual_memory_bytes", "Virtual memory size in bytes.",
                                   fields[23 - 4]));
    families.push_back(SingleGauge("process_resident_memory_bytes",
                                   "Resident memory size in bytes.",
                                   fields[24 - 4] * static_cast<double>(sysconf(_SC_PAGESIZE))));
    families.push_back(SingleGauge("process_threads", "Threads of the process.", fields[20 - 4]));
  }
  families.push_back(SingleGauge("process_open_fds", "Open file descriptors.",
                                 static_cast<double>(OpenDescriptors())));
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    families.push_back(SingleGauge("process_max_fds", "Limit on open file descriptors.",
                                   static_cast<double>(limit.rlim_cur)));
  }
  return families;
}

}  // namespace ferrite
