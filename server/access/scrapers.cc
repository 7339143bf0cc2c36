#include "server/access/scrapers.h"

#include <optional>
#include <string>
#include <utility>

#include "server/auth/denial.h"
#include "server/call/caller.h"
#include "server/metrics/refusals.h"

namespace ferrite {
namespace {

class HttpCaller final : public Caller {
 public:
  explicit HttpCaller(const std::vector<std::string_view>& authorization)
      : authorization_(authorization) {}

  Clock::time_point deadline() const override { return Clock::time_point::max(); }
  std::string peer() const override { return "http"; }
  std::optional<std::string_view> Metadata(std::string_view name) const override {
    if (name != "authorization" || authorization_.size() != 1) return std::nullopt;
    return authorization_.front();
  }
  bool HasMetadata(std::string_view name) const override {
    return name == "authorization" && !authorization_.empty();
  }

 private:
  const std::vector<std::string_view>& authorization_;
};

}  // namespace

absl::Status Scrapers::Admit(const std::vector<std::string_view>& authorization) {
  const Identity who = access_.Identify(HttpCaller(authorization));
  // Metrics are about the node, so they are for those whose namespace is `default`.
  if (who.problem.ok() && who.name_space == nullptr &&
      who.rights->MayOnNode(policy::Verb::kMetrics)) {
    return absl::OkStatus();
  }
  if (!std::exchange(is_attached_, true)) counters_.AttachThread();
  absl::Status denied = Denied(who);
  CountRefusal(denied);
  return denied;
}

}  // namespace ferrite
