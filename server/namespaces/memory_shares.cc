#include "server/namespaces/memory_shares.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/byte_amount.h"

namespace ferrite {
namespace {

uint64_t BytesOf(const policy::NamespaceRules& rules, uint64_t max_memory_bytes) {
  return rules.memory_percent == 0 ? rules.memory_bytes
                                   : PercentOf(rules.memory_percent, max_memory_bytes);
}

std::string Told(const policy::NamespaceRules& rules, uint64_t bytes) {
  return rules.memory_percent == 0
             ? absl::StrCat(RenderBytes(bytes), " (", rules.name, ")")
             : absl::StrCat(RenderBytes(bytes), " (", rules.name, ", ", rules.memory_percent, "%)");
}

}  // namespace

absl::StatusOr<MemoryShares> ShareOut(const std::vector<policy::NamespaceRules>& rules,
                                      uint64_t max_memory_bytes, uint64_t least_of_default,
                                      const std::vector<uint64_t>& least_of_each) {
  MemoryShares shares;
  uint64_t sum = least_of_default;
  std::string told = absl::StrCat(RenderBytes(least_of_default), " (the least of default)");
  for (size_t i = 0; i < rules.size(); ++i) {
    if (rules[i].memory_percent != 0 && max_memory_bytes == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("the memory of namespace ", rules[i].name, " is a share of --max-memory (",
                       rules[i].memory_percent, "%), which is without a limit"));
    }
    const uint64_t bytes = BytesOf(rules[i], max_memory_bytes);
    if (bytes < least_of_each[i]) {
      return absl::InvalidArgumentError(
          absl::StrCat("the memory of namespace ", Told(rules[i], bytes),
                       " is too little: it needs ", RenderBytes(least_of_each[i])));
    }
    shares.bytes.push_back(bytes);
    // Amounts of more than there can be must not wrap around.
    sum = bytes > UINT64_MAX - sum ? UINT64_MAX : sum + bytes;
    absl::StrAppend(&told, " + ", Told(rules[i], bytes));
  }
  if (max_memory_bytes == 0) return shares;
  if (sum > max_memory_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the namespaces ask for more memory than there is: ", told, " = ",
                     RenderBytes(sum), ", and --max-memory is ", RenderBytes(max_memory_bytes)));
  }
  shares.of_default = max_memory_bytes - (sum - least_of_default);
  return shares;
}

uint64_t LeastMaxMemory(const std::vector<policy::NamespaceRules>& rules, uint64_t least_of_default,
                        const std::vector<uint64_t>& least_of_each) {
  uint64_t least = least_of_default;
  uint64_t percent_left = 100;
  uint64_t amounts = least_of_default;
  for (size_t i = 0; i < rules.size(); ++i) {
    const uint64_t percent = rules[i].memory_percent;
    percent_left -= std::min(percent_left, percent);
    amounts += rules[i].memory_bytes;
    if (percent != 0) least = std::max(least, (least_of_each[i] / percent + 1) * 100);
  }
  if (percent_left == 0) return UINT64_MAX;
  return std::max(least, (amounts / percent_left + 1) * 100);
}

}  // namespace ferrite
