#include "server/routing/own_feed.h"

#include <utility>

#include "proto/slot.h"

namespace ferrite {

OwnFeed::OwnFeed(FollowedTopics topics, std::unique_ptr<TopicRoom> room,
                 std::optional<uint64_t> mark, ThreadRouting* here, Waker waker)
    : topics_(std::move(topics)), room_(std::move(room)), mark_(mark), here_(*here) {
  here_.Watch(this, std::move(waker));
}

OwnFeed::~OwnFeed() { here_.Unwatch(this); }

absl::Status OwnFeed::Check() {
  if (!here_.may_serve()) return NotServed(Way::kLeaseLost, here_.view(), topics_.any_slot());
  const uint64_t count = here_.view_count();  // asked first: see PublishedView
  if (count == views_) [[likely]]
    return absl::OkStatus();
  const NodeShares& shares = here_.shares();
  const cluster::ClusterView& view = here_.last_view();
  if (mark_.has_value()) {
    // Both will soon see the same map.
    if (topics_.ShareHere(view, shares).mark != *mark_)
      return NotServed(Way::kInTransition, view, topics_.any_slot());
  } else {
    for (const uint32_t slot : topics_.slots()) {
      const Way way = WayOf(view, view.route(slot), /*may_serve=*/true, /*may_forward=*/false);
      if (way != Way::kServe) return here_.Refuse(way, slot);
    }
  }
  views_ = count;
  return absl::OkStatus();
}

Answer::Next OwnFeed::Advance(ReplyWriter* message, CallEnd* end) {
  end->status = Check();
  return end->status.ok() ? stream_->Advance(message, end) : Next::kEnd;
}

}  // namespace ferrite
