// What is served, and what people should know of it.

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_format.h"
#include "server/cluster/core/core.h"

namespace ferrite::cluster {

bool Core::CanAct() const {
  return !foreign_ && !left_ && (map_.map() != nullptr || map_.epoch() == 0);
}

bool Core::MayServe() const {
  return !foreign_ && !left_ && map_.map() != nullptr && ceiling_was_there_;
}

bool Core::MayBegin() const {
  return ceiling_was_there_ && map_.map() != nullptr &&
         (floor_ >= map_.map()->version_floor() || settings_.faults.floor_not_raised);
}

// Before anything is served by a new map: how high and how low new versions may be.
void Core::SetVersions() {
  if (!ceiling_.IsMissing()) ceiling_was_there_ = true;
  if (const auto limit = ceiling_.RaiseLimit())
    actions_->emplace_back(
        LimitVersions{settings_.faults.versions_unlimited ? UINT64_MAX : *limit});
  if (map_.map() == nullptr || ceiling_.IsDue() || settings_.faults.floor_not_raised) return;
  if (map_.map()->version_floor() <= floor_) return;
  floor_ = map_.map()->version_floor();
  actions_->emplace_back(RaiseFloor{floor_});
}

void Core::Publish() {
  SetVersions();
  Serve serve{.right_end_ns = MayServe() ? renewal_.end_ns() : 0};
  if (view_is_old_ || MayBegin() != could_begin_) {
    view_is_old_ = false;
    could_begin_ = MayBegin();
    serve.view = view_maker_.Make(map_.map().get(), map_.epoch(), lister_.listing(), could_begin_,
                                  &holdings_);
  }
  if (serve.view != nullptr || serve.right_end_ns != right_end_ns_) {
    right_end_ns_ = serve.right_end_ns;
    actions_->emplace_back(std::move(serve));
  }
  if (auto drop = holdings_.TakeDrop()) actions_->emplace_back(*std::move(drop));
  Acknowledge();
}

// What the map takes from this node is not served any more, as the view says so by now.
void Core::Acknowledge() {
  if (releasing_since_ > registrar_.released_generation())
    registrar_.SetReleased(map_.map()->generation(), ceiling_.released_version());
  if (map_.map() == nullptr || owns_slots_ || !draining_ || drained_ || !registrar_.is_written())
    return;
  drained_ = true;
  actions_->emplace_back(Drained{});
}

void Core::ReportProblems() {
  const bool unreadable = map_.map() == nullptr && map_.epoch() != 0;
  const bool too_new = map_.trouble().code() == absl::StatusCode::kFailedPrecondition;
  const std::string trouble(map_.trouble().message());
  const bool silent = now_.steady_ns - answered_ns_ > settings_.ttl_ns() && !left_ && !foreign_;
  const auto tell = [this](Problem problem, const std::string& text) {
    problems_.Set(problem, text, actions_);
  };
  tell(Problem::kIdTaken, registrar_.taken_by());
  tell(Problem::kForeign,
       foreign_ ? doubt_ + "; this node serves nothing until it is started again" : "");
  tell(Problem::kMapBroken, unreadable && !too_new ? trouble : "");
  tell(Problem::kMapTooNew, unreadable && too_new ? trouble : "");
  tell(Problem::kMapTooLarge, controller_.too_large());
  tell(Problem::kRecordBroken, lister_.trouble());
  tell(Problem::kCeilingMissing, controller_.ceiling_missing());
  tell(Problem::kEtcdGarbage, garbage_);
  tell(Problem::kEtcdSilent, silent ? absl::StrFormat("etcd has not answered for more than %d ms",
                                                      settings_.serving_ttl_ms)
                                    : "");
  tell(Problem::kClockOff, lister_.wrong_clock());
}

}  // namespace ferrite::cluster
