#include "server/routing/routed_subscribe.h"

#include <memory>
#include <string>
#include <utility>

#include "ferrite/v1/cache.pb.h"
#include "server/call/status.h"
#include "server/routing/forwarded_result.h"
#include "server/routing/served_since.h"

namespace ferrite {
namespace {

Slots SlotsFollowed(const v1::SubscribeRequest& request) {
  Slots slots;
  for (const std::string& channel : request.channels()) slots.push_back(SlotOf(channel));
  for (const std::string& key : request.keys()) slots.push_back(SlotOf(key));
  return slots;
}

absl::Status SpansNodes() {
  return MakeError(
      absl::StatusCode::kUnimplemented, v1::SUBSCRIPTION_SPANS_NODES,
      "the subscription follows what several nodes own, or globs or prefixes, which "
      "any of them may; follow it at each node, with the metadata ferrite-route: direct");
}

bool AllSlotsAreHere(const cluster::ClusterView& view) {
  for (uint32_t slot = 0; slot < kSlotCount; ++slot) {
    if (view.route(slot).place != cluster::Route::Place::kHere) return false;
  }
  return true;
}

// What a stream rests on.
struct Ground {
  Slots slots;             // all of one owner
  bool all = false;        // every slot has to be here
  uint64_t views = 0;      // how many there were before it was looked for
  std::string owner = {};  // empty: this node
};

// A stream of this node, or of another one, that ends when its slots are no longer that node's.
class OwnersFeed : public Answer {
 public:
  OwnersFeed(Ground ground, ThreadRouting* here) : ground_(std::move(ground)), here_(*here) {}

 protected:
  // Why the stream ends; OK if it goes on.
  absl::Status CheckOwner() {
    const bool own = ground_.owner.empty();
    const Slots& slots = ground_.slots;
    if (own && !here_.may_serve()) {
      return NotServed(Way::kLeaseLost, here_.view(), slots.empty() ? 0 : slots.front());
    }
    const uint64_t count = here_.view_count();
    if (count == ground_.views) [[likely]]
      return absl::OkStatus();
    if (ground_.all && !AllSlotsAreHere(here_.view())) return SpansNodes();
    for (const uint32_t slot : slots) {
      const Way way = here_.WayTo(slot, /*may_forward=*/true);
      const cluster::ClusterView& view = here_.last_view();
      if (own ? way == Way::kServe
              : way == Way::kForward && view.nodes()[view.route(slot).node]->id == ground_.owner)
        continue;
      const bool served = way == Way::kServe || way == Way::kForward;
      return NotServed(served ? Way::kInTransition : way, view, slot);
    }
    ground_.views = count;
    return absl::OkStatus();
  }

 private:
  Ground ground_;
  ThreadRouting& here_;
};

class OwnFeed final : public OwnersFeed {
 public:
  OwnFeed(std::unique_ptr<Answer> plain, Ground ground, ThreadRouting* here)
      : OwnersFeed(std::move(ground), here), plain_(std::move(plain)) {}

  Next Advance(ReplyWriter* message, CallEnd* end) override {
    end->status = CheckOwner();
    return end->status.ok() ? plain_->Advance(message, end) : Next::kEnd;
  }
  void Sent() override { plain_->Sent(); }

 private:
  const std::unique_ptr<Answer> plain_;
};

class PeersFeed final : public OwnersFeed {
 public:
  PeersFeed(const Turn& turn, const cluster::ViewNode& owner, Ground ground, ThreadRouting* here)
      : OwnersFeed(std::move(ground), here),
        node_(owner.id),
        address_(owner.internal_address),
        stream_(
            *here->OpenStream(owner, Method::kSubscribe, turn.request().bytes(), turn.waker())) {}
  ~PeersFeed() override { stream_.Abandon(); }

  Next Advance(ReplyWriter* message, CallEnd* end) override {
    end->status = CheckOwner();
    if (!end->status.ok()) return Next::kEnd;
    if (stream_.message() != nullptr) {
      message->AppendShared(stream_.message()->bytes(), stream_.message());
      stream_.Next();
      return Next::kMessage;
    }
    if (!stream_.end().has_value()) return Next::kWait;
    end->status = EndOf(*stream_.end());
    return Next::kEnd;
  }

 private:
  // As the client is to see it, who does not know of the owner.
  absl::Status EndOf(const absl::Status& status) const {
    switch (ReasonOf(status)) {
      case v1::SLOT_MOVED:
        return OwnersDiffer(std::string(status.message()), ErrorInfoOf(status).metadata());
      case v1::ERROR_REASON_UNSPECIFIED:
        return PeerUnreachable(node_, address_, status, /*sent=*/false);
      default:
        return status;
    }
  }

  const std::string node_;
  const std::string address_;
  RemoteStream& stream_;
};

absl::Status ServeHere(const Handler& plain, Ground ground, ThreadRouting* here, Turn* turn) {
  absl::Status status = plain(turn);
  std::unique_ptr<Answer> feed = turn->TakeAnswer();
  if (status.ok()) turn->Later(std::make_unique<OwnFeed>(std::move(feed), std::move(ground), here));
  return status;
}

}  // namespace

Handler RoutedSubscribe(Handler plain, const Router* router) {
  return [plain = std::move(plain), router](Turn* turn) -> absl::Status {
    v1::SubscribeRequest request;
    if (!turn->request().ParseInto(&request)) return Malformed("SubscribeRequest");
    ThreadRouting* const here = router->of(turn->thread_index());
    const bool may_forward = ThreadRouting::MayForward(turn->caller());
    const bool of_any_node = request.channel_globs_size() + request.key_prefixes_size() > 0;
    Ground ground = {.slots = SlotsFollowed(request),
                     .all = of_any_node && may_forward,
                     .views = here->view_count()};
    if (ground.all && !AllSlotsAreHere(here->view())) return SpansNodes();
    if (ground.slots.empty()) return ServeHere(plain, std::move(ground), here, turn);
    const Way way = here->WayTo(ground.slots.front(), may_forward);
    std::shared_ptr<const cluster::ViewNode> owner;
    for (const uint32_t slot : ground.slots) {
      const Way other = here->WayTo(slot, may_forward);
      if (other != Way::kServe && other != Way::kForward) return here->Refuse(other, slot);
      const cluster::ClusterView& view = here->last_view();
      const auto& of_slot = view.nodes()[view.route(slot).node];
      if (owner == nullptr) owner = of_slot;
      if (other != way || of_slot->id != owner->id) return SpansNodes();
    }
    if (way == Way::kServe) return ServeHere(plain, std::move(ground), here, turn);
    ground.owner = owner->id;
    turn->Later(std::make_unique<PeersFeed>(*turn, *owner, std::move(ground), here));
    return absl::OkStatus();
  };
}

}  // namespace ferrite
