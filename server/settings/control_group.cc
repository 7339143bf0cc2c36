#include "server/settings/control_group.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace ferrite {
namespace {

// The controllers that matter here, and the name under which version 2, which has all of them in
// one hierarchy, stands in /proc/self/cgroup.
constexpr char kMemory[] = "memory";
constexpr char kCpu[] = "cpu";
constexpr char kUnified[] = "";

// The path of this process's group, by controller.
using Paths = std::map<std::string, std::string>;

// A hierarchy, or a part of it, that is mounted.
struct Mount {
  std::string root;   // the group that is seen at `point`
  std::string point;  // where
  std::vector<std::string> controllers;
};

// /proc/self/cgroup: "4:cpu,cpuacct:/a/b", "0::/a/b" for version 2.
Paths ReadPaths(const std::string& root) {
  Paths paths;
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (parts.size() != 3) continue;
    for (const auto& controller : absl::StrSplit(parts[1], ','))
      paths[std::string(controller)] = parts[2];
  }
  return paths;
}

// In mountinfo a blank, a tab, a line feed and a backslash are written as three octal digits.
std::string Unescaped(const std::string& text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      plain += static_cast<char>(std::stoi(text.substr(i + 1, 3), nullptr, 8));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

// A line of /proc/self/mountinfo: "36 35 98:0 ROOT POINT OPTIONS [FIELD...] - TYPE SOURCE OPTIONS".
std::vector<Mount> ReadMounts(const std::string& root) {
  std::vector<Mount> mounts;
  std::ifstream file(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    const std::vector<std::string> place = absl::StrSplit(line.substr(0, dash), ' ');
    const std::vector<std::string> kind = absl::StrSplit(line.substr(dash + 3), ' ');
    if (place.size() < 5 || kind.empty()) continue;
    Mount mount{Unescaped(place[3]), Unescaped(place[4]), {}};
    if (kind[0] == "cgroup2") {
      mount.controllers = {kUnified};
    } else if (kind[0] == "cgroup" && kind.size() >= 3) {
      mount.controllers = absl::StrSplit(kind[2], ',');
    } else {
      continue;
    }
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

// The folders of a process's group and of those above it, up to what is mounted.
std::vector<std::string> Chain(const Mount& mount, const std::string& path) {
  const std::string top = mount.root == "/" ? "" : mount.root;
  std::string below;
  // Where the group is not below what is mounted, as in a container that sees its own group only,
  // under another name, what is mounted counts.
  if (path.starts_with(top) && (path.size() == top.size() || path[top.size()] == '/'))
    below = path.substr(top.size());
  if (below.find("/..") != std::string::npos) below.clear();
  std::vector<std::string> folders;
  for (; !below.empty() && below != "/"; below.resize(below.rfind('/')))
    folders.push_back(mount.point + below);
  folders.push_back(mount.point);
  return folders;
}

class Reader {
 public:
  explicit Reader(const std::string& root) : root_(root) {}

  void ReadMemory(const std::string& folder) {
    for (const char* name : {"memory.max", "memory.high", "memory.limit_in_bytes"}) {
      uint64_t bytes;
      if (Open(folder, name) >> bytes) limits.memory_bytes.Tighten(bytes, Source(folder, name));
    }
    // Version 1 tells here of groups above the one that is mounted.
    std::istringstream stat = Open(folder, "memory.stat");
    for (std::string name; stat >> name;) {
      uint64_t bytes;
      if (!(stat >> bytes)) break;
      if (name == "hierarchical_memory_limit")
        limits.memory_bytes.Tighten(bytes, Source(folder, "a group above"));
    }
  }

  // How much time on any core the group may have in a period, both in microseconds.
  void ReadCpu(const std::string& folder) {
    int64_t time_us;
    int64_t period_us;
    if (Open(folder, "cpu.max") >> time_us >> period_us)
      AddQuota(time_us, period_us, Source(folder, "cpu.max"));
    if (Open(folder, "cpu.cfs_quota_us") >> time_us &&
        Open(folder, "cpu.cfs_period_us") >> period_us)
      AddQuota(time_us, period_us, Source(folder, "cpu.cfs_quota_us"));
  }

  ControlGroupLimits limits;

 private:
  std::istringstream Open(const std::string& folder, const char* name) const {
    std::ifstream file(root_ + folder + "/" + name);
    std::stringstream text;
    text << file.rdbuf();
    return std::istringstream(text.str());
  }
  static std::string Source(const std::string& folder, const char* name) {
    return absl::StrCat(name, " of ", folder);
  }
  void AddQuota(int64_t time_us, int64_t period_us, const std::string& source) {
    if (time_us <= 0 || period_us <= 0) return;
    const int64_t millis =
        std::max<int64_t>(1, time_us / period_us * 1000 + time_us % period_us * 1000 / period_us);
    limits.cpu_millis.Tighten(static_cast<uint64_t>(millis), source);
  }

  const std::string root_;
};

bool Has(const Mount& mount, const char* controller) {
  return std::find(mount.controllers.begin(), mount.controllers.end(), controller) !=
         mount.controllers.end();
}

}  // namespace

ControlGroupLimits ReadControlGroups(const std::string& root) {
  const Paths paths = ReadPaths(root);
  Reader reader(root);
  const auto visit = [&](const Mount& mount, const char* controller, auto read) {
    const auto path = paths.find(controller);
    if (!Has(mount, controller) || path == paths.end()) return;
    for (const std::string& folder : Chain(mount, path->second)) (reader.*read)(folder);
  };
  for (const Mount& mount : ReadMounts(root)) {
    visit(mount, kMemory, &Reader::ReadMemory);
    visit(mount, kCpu, &Reader::ReadCpu);
    visit(mount, kUnified, &Reader::ReadMemory);
    visit(mount, kUnified, &Reader::ReadCpu);
  }
  return reader.limits;
}

}  // namespace ferrite
