#include "server/routing/local_scan.h"

#include <string>
#include <utility>

#include "server/call/status.h"
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

absl::Status LocalScan::Check() {
  if (!here_.may_serve()) return NotServed(Way::kLeaseLost, here_.view(), 0);
  const uint64_t count = here_.view_count();  // asked first: see PublishedView
  if (!mark_.has_value() || count == views_) return absl::OkStatus();
  if (here_.shares().here.mark != *mark_) {
    return MakeError(absl::StatusCode::kUnavailable, v1::SLOT_IN_TRANSITION,
                     "the nodes do not see the same owners of slots at this moment",
                     {{"epoch", std::to_string(here_.last_view().version().epoch)}});
  }
  views_ = count;
  return absl::OkStatus();
}

absl::StatusOr<bool> LocalScan::Next(v1::ScanResponse* response) {
  if (absl::Status status = Check(); !status.ok()) return status;
  const absl::StatusOr<bool> more = Read(response);
  if (!more.ok()) return more;
  // What was read must not leave if it may have been another's by then.
  if (absl::Status status = Check(); !status.ok()) return status;
  return more;
}

absl::StatusOr<bool> LocalScan::Read(v1::ScanResponse* response) {
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
