#include "server/routing/local_scan.h"

#include <utility>

#include "server/metrics/thread_counters.h"

namespace ferrite {

absl::Status LocalScan::Begin(const v1::ScanRequest& request) {
  request_ = request;
  left_ = request.limit() == 0 ? UINT64_MAX : request.limit();
  ScanCursor cursor;
  if (absl::Status status = ScanBeginning(request, &cursor); !status.ok()) return status;
  source_ = std::make_unique<ScanSource>(&store_, request, cursor);
  return absl::OkStatus();
}

absl::StatusOr<bool> LocalScan::Next(v1::ScanResponse* response) {
  if (!here_.may_serve()) return NotServed(Way::kLeaseLost, here_.view(), 0);
  if (left_ == 0) return false;
  if (!source_->Next(response)) {
    if (request_.cursor().empty()) return false;
    // It has sent as many as it was to, but some of them were another's.
    ScanCursor cursor;
    if (absl::Status status = ScanBeginning(request_, &cursor); !status.ok()) return status;
    request_.set_limit(left_ == UINT64_MAX ? 0 : static_cast<uint32_t>(left_));
    source_ = std::make_unique<ScanSource>(&store_, request_, cursor);
    if (!source_->Next(response)) return false;
  }
  request_.set_cursor(response->cursor());
  auto* const entries = response->mutable_entries();
  const cluster::ClusterView& view = here_.view();
  int kept = 0;
  for (int i = 0; i < entries->size(); ++i) {
    const uint32_t slot = SlotOf(entries->Get(i).key());
    if (view.route(slot).place == cluster::Route::Place::kHere) entries->SwapElements(i, kept++);
  }
  entries->DeleteSubrange(kept, entries->size() - kept);
  if (left_ != UINT64_MAX) left_ -= static_cast<uint64_t>(kept);
  ThreadCounters::Current().CountRead(static_cast<uint64_t>(kept));
  return true;
}

}  // namespace ferrite
