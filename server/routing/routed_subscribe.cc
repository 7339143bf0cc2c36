#include "server/routing/routed_subscribe.h"

#include <memory>
#include <optional>
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

// A stream of this node, or of another one, that ends when its slots are no longer that node's.
class OwnersFeed : public Answer {
 public:
  OwnersFeed(Slots slots, Way way, ThreadRouting* here)
      : slots_(std::move(slots)), way_(way), here_(*here), seen_(here->view_count()) {
    if (way == Way::kForward) owner_ = OwnerOf(slots_.front());
  }

 protected:
  // Why the stream ends; OK if it goes on.
  absl::Status CheckOwner() {
    if (way_ == Way::kServe && !here_.may_serve()) {
      return NotServed(Way::kLeaseLost, here_.view(), slots_.empty() ? 0 : slots_.front());
    }
    const uint64_t count = here_.view_count();
    if (count == seen_) [[likely]]
      return absl::OkStatus();
    for (const uint32_t slot : slots_) {
      const Way way = here_.WayTo(slot, /*may_forward=*/true);
      if (way == way_ && (way == Way::kServe || OwnerOf(slot) == owner_)) continue;
      const bool served = way == Way::kServe || way == Way::kForward;
      return NotServed(served ? Way::kInTransition : way, here_.view(), slot);
    }
    seen_ = count;
    return absl::OkStatus();
  }

 private:
  std::string OwnerOf(uint32_t slot) {
    const cluster::ClusterView& view = here_.view();
    return view.nodes()[view.route(slot).node]->id;
  }

  const Slots slots_;
  const Way way_;
  ThreadRouting& here_;
  uint64_t seen_;      // views, when all was well
  std::string owner_;  // if it is another node
};

class OwnFeed final : public OwnersFeed {
 public:
  OwnFeed(std::unique_ptr<Answer> plain, Slots slots, ThreadRouting* here)
      : OwnersFeed(std::move(slots), Way::kServe, here), plain_(std::move(plain)) {}

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
  PeersFeed(const Turn& turn, Slots slots, ThreadRouting* here)
      : OwnersFeed(slots, Way::kForward, here) {
    const cluster::ClusterView& view = here->view();
    const cluster::ViewNode& owner = *view.nodes()[view.route(slots.front()).node];
    node_ = owner.id;
    address_ = owner.internal_address;
    stream_ = here->OpenStream(owner, Method::kSubscribe, turn.request().bytes(), turn.waker());
  }
  ~PeersFeed() override { stream_->Abandon(); }

  Next Advance(ReplyWriter* message, CallEnd* end) override {
    end->status = CheckOwner();
    if (!end->status.ok()) return Next::kEnd;
    if (stream_->message() != nullptr) {
      message->AppendShared(stream_->message()->bytes(), stream_->message());
      stream_->Next();
      return Next::kMessage;
    }
    if (!stream_->end().has_value()) return Next::kWait;
    end->status = EndOf(*stream_->end());
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

  std::string node_;
  std::string address_;
  RemoteStream* stream_ = nullptr;
};

absl::Status ServeHere(const Handler& plain, Slots slots, ThreadRouting* here, Turn* turn) {
  absl::Status status = plain(turn);
  std::unique_ptr<Answer> feed = turn->TakeAnswer();
  if (status.ok()) turn->Later(std::make_unique<OwnFeed>(std::move(feed), std::move(slots), here));
  return status;
}

bool AllSlotsAreHere(const cluster::ClusterView& view) {
  for (uint32_t slot = 0; slot < kSlotCount; ++slot) {
    if (view.route(slot).place != cluster::Route::Place::kHere) return false;
  }
  return true;
}

}  // namespace

Handler RoutedSubscribe(Handler plain, const Router* router) {
  return [plain = std::move(plain), router](Turn* turn) -> absl::Status {
    v1::SubscribeRequest request;
    if (!turn->request().ParseInto(&request)) return Malformed("SubscribeRequest");
    ThreadRouting* const here = router->of(turn->thread_index());
    const bool may_forward = ThreadRouting::MayForward(turn->caller());
    const bool of_any_node = request.channel_globs_size() + request.key_prefixes_size() > 0;
    if (of_any_node && may_forward && !AllSlotsAreHere(here->view())) return SpansNodes();
    Slots slots = SlotsFollowed(request);
    if (slots.empty()) return ServeHere(plain, std::move(slots), here, turn);
    const Way way = here->WayTo(slots.front(), may_forward);
    const uint16_t node = here->view().route(slots.front()).node;
    for (const uint32_t slot : slots) {
      const Way other = here->WayTo(slot, may_forward);
      if (other != Way::kServe && other != Way::kForward) return here->Refuse(other, slot);
      if (other != way || here->view().route(slot).node != node) return SpansNodes();
    }
    if (way == Way::kServe) return ServeHere(plain, std::move(slots), here, turn);
    turn->Later(std::make_unique<PeersFeed>(*turn, std::move(slots), here));
    return absl::OkStatus();
  };
}

}  // namespace ferrite
