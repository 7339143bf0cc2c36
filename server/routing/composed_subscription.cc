#include "server/routing/composed_subscription.h"

#include <algorithm>
#include <set>
#include <utility>

#include "proto/slot.h"
#include "server/call/status.h"
#include "server/engine/serving_thread.h"

namespace ferrite {
namespace {

// As of a stream of one node (SubscriberStream).
constexpr size_t kMessageBytes = size_t{64} << 10;
constexpr size_t kSmallMessageBytes = size_t{4} << 10;
// A stream begins with those nodes that have answered by then.
constexpr std::chrono::milliseconds kPatience(1000);
// A node that cannot be followed for so long is told. Less would tell of each hand-over twice.
constexpr std::chrono::milliseconds kTellLossAfter(2000);
// Signs of life that have to be missed, and how long that takes at least, as a machine may be busy.
constexpr int kMissedHeartbeats = 3;
constexpr std::chrono::milliseconds kShortestSilence(2000);

absl::Status TooManyNodes(size_t nodes) {
  const std::string limit = std::to_string(CompositeToken::kMaxPlaces);
  return MakeError(absl::StatusCode::kUnimplemented, v1::SUBSCRIPTION_SPANS_NODES,
                   "what the subscription follows lies on " + std::to_string(nodes) +
                       " nodes; one stream can follow " + limit +
                       "; follow it at each node, with the metadata ferrite-route: direct",
                   {{"limit", limit}, {"size", std::to_string(nodes)}});
}

}  // namespace

ComposedSubscription::ComposedSubscription(v1::SubscribeRequest request,
                                           const SubscriptionRequest& terms,
                                           std::unique_ptr<TopicRoom> room, ThreadRouting* here,
                                           Dispatcher* dispatcher, EventHub* hub, Waker waker)
    : here_(*here),
      hub_(*hub),
      waker_(std::move(waker)),
      topics_(std::move(request)),
      room_(std::move(room)),
      heartbeat_(terms.heartbeat),
      resumes_(terms.resume.has_value()),
      first_token_(topics_.request().resume_token()),
      events_(&feeds_, hub->tally(), first_token_),
      setting_{.topics = &topics_,
               .here = here,
               .dispatcher = dispatcher,
               .hub = hub,
               .reader = waker_,
               .silence = std::max(kMissedHeartbeats * heartbeat_, kShortestSilence),
               .told = &events_.told(),
               .acknowledged = &acknowledged_},
      timer_([this] { waker_.Wake(); }) {
  if (!topics_.request().probe_channel().empty()) barrier_.emplace(here, hub, waker_);
  here_.Watch(this, waker_);
}

ComposedSubscription::~ComposedSubscription() {
  feeds_.clear();  // they use what is declared after them
  here_.Unwatch(this);
  hub_.budget()->Change(-static_cast<int64_t>(message_bytes_));
}

Answer::Next ComposedSubscription::Advance(ReplyWriter* message, CallEnd* end) {
  const Clock::time_point now = Clock::now();
  if (!here_.may_serve()) {
    *end = EndWith(NotServed(Way::kLeaseLost, here_.view(), topics_.any_slot()));
    return Next::kEnd;
  }
  absl::Status status = here_.view_count() == views_ ? absl::OkStatus() : Replan();
  if (status.ok()) status = StepFeeds(now);
  if (!status.ok()) {
    *end = EndWith(std::move(status));
    return Next::kEnd;
  }
  if (!acknowledged_ && !AllLive() && now < begun_at_ + kPatience) {
    SetTimer(now);
    return Next::kWait;
  }
  if (!acknowledged_) {
    if (absl::Status why = WhyNot(); !why.ok()) {
      *end = EndWith(std::move(why));
      return Next::kEnd;
    }
    WriteAcknowledgement(message);
  }
  WriteGaps(message);
  WriteLossIfDue(now, message);
  WriteEvents(message);
  WriteProbes(message);
  if (message->size() == 0) WriteHeartbeatIfDue(now, message);
  if (message->size() > 0) {
    message_bytes_ = message->size();
    hub_.budget()->Change(static_cast<int64_t>(message_bytes_));
    return Next::kMessage;
  }
  SetTimer(now);
  const bool yields =
      std::any_of(feeds_.begin(), feeds_.end(), [](const auto& feed) { return feed->yields(); });
  return yields ? Next::kYield : Next::kWait;
}

void ComposedSubscription::Sent() {
  hub_.budget()->Change(-static_cast<int64_t>(std::exchange(message_bytes_, 0)));
  last_sent_ = Clock::now();
  for (const auto& feed : feeds_) feed->Sent();
}

absl::Status ComposedSubscription::Replan() {
  views_ = here_.view_count();  // asked first: a view that comes in between is then looked at again
  const NodeShares& shares = here_.shares();
  const cluster::ClusterView& view = here_.last_view();
  SubscriptionPlan plan = topics_.PlanFor(view, shares);
  if (plan.nodes.size() > CompositeToken::kMaxPlaces) return TooManyNodes(plan.nodes.size());
  generation_ = plan.generation;
  unserved_ = plan.whole() ? absl::OkStatus() : NotServed(plan.why, view, plan.unserved);
  std::vector<std::unique_ptr<NodeFeed>> before = std::exchange(feeds_, {});
  bool changed = false;
  for (NodePlan& node : plan.nodes) {
    const auto same = std::find_if(before.begin(), before.end(), [&](const auto& feed) {
      return feed != nullptr && feed->plan().id == node.id;
    });
    if (same == before.end()) {
      changed = true;
      const std::string token = acknowledged_ ? std::string() : first_token_;
      feeds_.push_back(std::make_unique<NodeFeed>(setting_, std::move(node), token));
      continue;
    }
    if (!(*same)->plan().SameAs(node)) {
      changed = true;
      (*same)->Change(std::move(node));
    }
    feeds_.push_back(std::move(*same));
  }
  changed |=
      std::any_of(before.begin(), before.end(), [](const auto& feed) { return feed != nullptr; });
  if (changed && barrier_.has_value()) barrier_->Drop();
  return absl::OkStatus();
}

absl::Status ComposedSubscription::StepFeeds(Clock::time_point now) {
  for (const auto& feed : feeds_) {
    if (absl::Status status = feed->Step(now); !status.ok()) return status;
  }
  return absl::OkStatus();
}

bool ComposedSubscription::AllLive() const {
  return unserved_.ok() &&
         std::all_of(feeds_.begin(), feeds_.end(), [](const auto& feed) { return feed->live(); });
}

absl::Status ComposedSubscription::WhyNot() const {
  absl::Status why = unserved_;
  for (const auto& feed : feeds_) {
    if (feed->live()) return absl::OkStatus();
    if (why.ok()) why = feed->why();
  }
  if (why.ok() && !feeds_.empty()) {
    const NodePlan& first = feeds_.front()->plan();
    why = PeerUnreachable(first.id, first.node->internal_address,
                          absl::UnavailableError("it does not answer"), /*sent=*/false);
  }
  return why;
}

void ComposedSubscription::WriteAcknowledgement(ReplyWriter* writer) {
  const bool whole = AllLive();
  const bool exact = std::all_of(feeds_.begin(), feeds_.end(),
                                 [](const auto& feed) { return feed->live() && feed->exact(); });
  if (whole && !resumes_) events_.SetTold(generation_);
  acknowledged_ = true;
  v1::SubscriptionEvent notice;
  notice.mutable_acknowledgement()->set_resumed(resumes_ && whole && exact);
  events_.WriteNotice(notice, writer);
  if (whole) return;
  events_.WriteDiscontinuity(v1::DISCONTINUITY_REASON_NODE_LOST, writer);
  lost_since_ = begun_at_;
  loss_told_ = true;
}

void ComposedSubscription::WriteGaps(ReplyWriter* writer) {
  std::set<v1::DiscontinuityReason> reasons;
  for (const auto& feed : feeds_) {
    if (!feed->live() || !feed->gap().has_value()) continue;
    reasons.insert(*feed->gap());
    feed->GapTold();
  }
  if (AllLive()) events_.SetTold(std::max(events_.told(), generation_));
  for (const v1::DiscontinuityReason reason : reasons) events_.WriteDiscontinuity(reason, writer);
}

void ComposedSubscription::WriteLossIfDue(Clock::time_point now, ReplyWriter* writer) {
  if (AllLive()) {
    lost_since_.reset();
    loss_told_ = false;
    return;
  }
  if (!lost_since_.has_value()) lost_since_ = now;
  if (loss_told_ || now < *lost_since_ + kTellLossAfter) return;
  loss_told_ = true;
  events_.WriteDiscontinuity(v1::DISCONTINUITY_REASON_NODE_LOST, writer);
}

void ComposedSubscription::WriteEvents(ReplyWriter* writer) {
  bool more = true;
  while (std::exchange(more, false)) {
    for (size_t i = 0; i < feeds_.size(); ++i) {
      WriteEventsOf(feeds_[(first_feed_ + i) % feeds_.size()].get(), writer);
    }
    if (writer->size() > 0) break;
    // What was taken goes no further, so it will not be sent.
    for (const auto& feed : feeds_) more |= feed->Sent();
  }
  ++first_feed_;
}

void ComposedSubscription::WriteEventsOf(NodeFeed* feed, ReplyWriter* writer) {
  const size_t enough = hub_.budget()->Allows(kMessageBytes) ? kMessageBytes : kSmallMessageBytes;
  while (feed->live() && !feed->gap().has_value() && writer->size() < enough) {
    const std::optional<EventFields>& next = feed->Peek();
    if (!next.has_value()) return;
    const EventFields event = *next;
    const std::shared_ptr<const void> keeper = feed->keeper();
    feed->Pop();
    switch (event.event_field) {
      case v1::SubscriptionEvent::kMessageFieldNumber:
      case v1::SubscriptionEvent::kKeyEventFieldNumber:
        if (IsOfAnother(event, *feed)) break;
        if (barrier_.has_value() && TakenByBarrier(event, feed)) break;
        events_.WriteEvent(event, keeper, writer);
        break;
      case v1::SubscriptionEvent::kDiscontinuityFieldNumber: {
        v1::Discontinuity told;
        told.ParseFromArray(event.event.data(), static_cast<int>(event.event.size()));
        // Its node has counted it.
        v1::SubscriptionEvent notice;
        notice.mutable_discontinuity()->set_reason(told.reason());
        events_.WriteNotice(notice, writer);
        break;
      }
      default:
        break;  // signs of life, whose place is taken over
    }
  }
}

bool ComposedSubscription::IsOfAnother(const EventFields& event, const NodeFeed& feed) const {
  if (!topics_.everywhere() || event.event_field != v1::SubscriptionEvent::kKeyEventFieldNumber) {
    return false;
  }
  const std::optional<KeyEventFields> fields = ReadKeyEvent(event.event);
  if (!fields.has_value()) return true;
  const cluster::ClusterView& view = here_.last_view();
  const cluster::Route route = view.route(SlotOf(fields->key));
  return route.place == cluster::Route::Place::kNobody ||
         view.nodes()[route.node]->id != feed.plan().id;
}

bool ComposedSubscription::TakenByBarrier(const EventFields& event, NodeFeed* feed) {
  if (event.event_field != v1::SubscriptionEvent::kMessageFieldNumber) return false;
  const std::optional<ChannelMessageFields> message = ReadChannelMessage(event.event);
  if (!message.has_value()) return false;
  if (message->channel == topics_.request().probe_channel()) {
    barrier_->Hold(event.event);
    return true;
  }
  if (feed->plan().marker.empty() || message->channel != feed->plan().marker) return false;
  uint64_t number;
  if (barrier_->ReadMarker(message->payload, &number)) feed->SetMarker(number);
  return true;
}

void ComposedSubscription::WriteProbes(ReplyWriter* writer) {
  if (!barrier_.has_value() || !AllLive()) return;
  for (const std::string& message : barrier_->Pass(feeds_)) {
    const auto keeper = std::make_shared<const std::string>(message);
    events_.WriteEvent(
        {.event_field = v1::SubscriptionEvent::kMessageFieldNumber, .event = *keeper}, keeper,
        writer);
  }
}

void ComposedSubscription::WriteHeartbeatIfDue(Clock::time_point now, ReplyWriter* writer) {
  if (now < last_sent_ + heartbeat_) return;
  v1::SubscriptionEvent heartbeat;
  heartbeat.mutable_heartbeat();
  events_.WriteNotice(heartbeat, writer);
}

void ComposedSubscription::SetTimer(Clock::time_point now) {
  Clock::time_point due = last_sent_ + heartbeat_;
  if (!acknowledged_) due = begun_at_ + kPatience;
  for (const auto& feed : feeds_) due = std::min(due, feed->due());
  if (lost_since_.has_value() && !loss_told_) due = std::min(due, *lost_since_ + kTellLossAfter);
  if (barrier_.has_value()) due = std::min(due, barrier_->due());
  timer_.Set(ServingThread::Current()->timers(), std::max(due, now));
}

CallEnd ComposedSubscription::EndWith(absl::Status status) const {
  CallEnd end = {.status = std::move(status), .trailers = {}};
  if (ReasonOf(end.status) == v1::SUBSCRIBER_TOO_SLOW) {
    end.trailers.emplace_back("ferrite-resume-token-bin", events_.token());
  }
  return end;
}

}  // namespace ferrite
