#include "server/policy/namespace_rules.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/byte_amount.h"
#include "base/duration_text.h"

namespace ferrite::policy {
namespace {

constexpr uint64_t kMostConnections = 1'000'000;
constexpr uint64_t kMostOperations = 1'000'000'000;
// As of any entry (store/operation.h).
constexpr int64_t kMostTtlMs = int64_t{100} * 365 * 24 * 3600 * 1000;

absl::string_view AbslText(std::string_view text) { return {text.data(), text.size()}; }

bool IsOfName(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '-' ||
         letter == '_' || letter == '.';
}

std::string SetName(std::string_view text, NamespaceRules* rules) {
  rules->name = text;
  if (text == "default") return "is there without being named, and has what others leave";
  if (text.size() <= kMaxNamespaceNameBytes && std::all_of(text.begin(), text.end(), IsOfName))
    return "";
  return absl::StrCat("must have 1 to ", kMaxNamespaceNameBytes,
                      " of the letters a to z, digits, '-', '_' and '.'");
}

std::string SetMemory(std::string_view text, NamespaceRules* rules) {
  if (text.ends_with('%')) {
    const bool is_number =
        absl::SimpleAtoi(AbslText(text.substr(0, text.size() - 1)), &rules->memory_percent);
    const uint64_t percent = rules->memory_percent;
    return is_number && percent >= 1 && percent <= 99 ? "" : "must be 1% to 99% as a share";
  }
  const absl::StatusOr<uint64_t> bytes = ParseByteAmount(text);
  if (!bytes.ok() || *bytes == 0)
    return absl::StrCat("must be a share such as 25%, or ", kByteAmountForms);
  rules->memory_bytes = *bytes;
  return "";
}

std::string SetCount(std::string_view text, uint64_t most, uint64_t* count) {
  if (absl::SimpleAtoi(AbslText(text), count) && *count >= 1 && *count <= most) return "";
  return absl::StrCat("must be a number from 1 to ", most);
}

std::string SetTtl(std::string_view text, int64_t* ttl_ms) {
  const absl::StatusOr<absl::Duration> ttl = ReadDuration(text);
  if (!ttl.ok()) return std::string(ttl.status().message());
  *ttl_ms = absl::ToInt64Milliseconds(*ttl);
  return *ttl_ms >= 1 && *ttl_ms <= kMostTtlMs ? "" : "must be 1ms to 100 years (36500d)";
}

}  // namespace

std::string SetNamespaceField(std::string_view field, std::string_view text,
                              NamespaceRules* rules) {
  if (field == "name") return SetName(text, rules);
  if (field == "memory") return SetMemory(text, rules);
  if (field == "operations_per_second")
    return SetCount(text, kMostOperations, &rules->operations_per_second);
  if (field == "connections") return SetCount(text, kMostConnections, &rules->connections);
  if (field == "default_ttl") return SetTtl(text, &rules->default_ttl_ms);
  rules->evict = text == "s3-fifo";
  return rules->evict || text == "noeviction" ? "" : "must be s3-fifo or noeviction";
}

}  // namespace ferrite::policy
