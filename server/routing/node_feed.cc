#include "server/routing/node_feed.h"

#include <algorithm>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "server/call/status.h"

namespace ferrite {
namespace {

constexpr std::chrono::milliseconds kFirstPause(50);
constexpr std::chrono::milliseconds kLongestPause(2000);

// Those of many streams do not come back together.
std::chrono::milliseconds PauseAfter(int failures) {
  thread_local absl::BitGen random;
  const auto pause = std::min(kFirstPause * (1 << std::min(failures, 10)), kLongestPause);
  return std::chrono::milliseconds(
      absl::Uniform<int64_t>(random, pause.count() / 2, pause.count()));
}

bool OwnersChanged(v1::ErrorReason reason) {
  return reason == v1::SLOT_MOVED || reason == v1::SLOT_IN_TRANSITION ||
         reason == v1::SLOT_UNOWNED || reason == v1::LEASE_LOST;
}

}  // namespace

NodeFeed::NodeFeed(const Setting& setting, NodePlan plan, std::string token)
    : setting_(setting), plan_(std::move(plan)), token_(std::move(token)) {}

NodeFeed::~NodeFeed() {
  if (has_room_) setting_.hub->StreamEnded();
}

void NodeFeed::Change(NodePlan plan) {
  Close();
  plan_ = std::move(plan);
  failures_ = 0;
  retry_at_ = Clock::time_point::min();
}

absl::Status NodeFeed::Step(Clock::time_point now) {
  if (source_ == nullptr && now >= retry_at_) {
    if (absl::Status status = Open(now); !status.ok()) return status;
  }
  if (source_ == nullptr) return absl::OkStatus();
  if (!event_.has_value() && source_->message().keeper != nullptr) heard_at_ = now;
  Read();
  if (source_ == nullptr) return absl::OkStatus();
  if (!live_ && event_.has_value()) TakeAcknowledgement();
  if (source_ == nullptr || event_.has_value()) return absl::OkStatus();
  if (const CallEnd* const end = source_->end(); end != nullptr) return End(*end, now);
  if (!plan_.here && now >= heard_at_ + setting_.silence) {
    Fail(FeedEnd::kSilent, Unreachable("it is silent"), now);
  }
  return absl::OkStatus();
}

NodeFeed::Clock::time_point NodeFeed::due() const {
  if (source_ == nullptr) return retry_at_;
  return plan_.here ? Clock::time_point::max() : heard_at_ + setting_.silence;
}

absl::Status NodeFeed::Open(Clock::time_point now) {
  absl::Status status = Request();
  heard_at_ = now;
  if (status.ok()) return status;
  // What this node refuses is refused to the caller, if there still is somebody to refuse.
  if (!*setting_.acknowledged) return status;
  return End({.status = std::move(status), .trailers = {}}, now);
}

absl::Status NodeFeed::Request() {
  v1::SubscribeRequest request = setting_.topics->RequestTo(plan_);
  request.set_resume_token(token_);
  if (plan_.here) return FollowHere(setting_.dispatcher, request, setting_.reader, &source_);
  if (!has_room_) {
    // Each stream takes memory here as well.
    if (absl::Status status = BeginStream(setting_.hub); !status.ok()) return status;
    has_room_ = true;
  }
  source_ = FollowThere(setting_.here, *plan_.node, plan_.share.mark, request, setting_.reader);
  return absl::OkStatus();
}

void NodeFeed::TakeAcknowledgement() {
  v1::Acknowledgement acknowledgement;
  const std::optional<ResumeToken> at = ResumeToken::Read(event_->resume_token);
  if (event_->event_field != v1::SubscriptionEvent::kAcknowledgementFieldNumber ||
      !acknowledgement.ParseFromArray(event_->event.data(),
                                      static_cast<int>(event_->event.size())) ||
      !at.has_value()) {
    return Fail(FeedEnd::kUnreachable, Unreachable("its reply is malformed"), Clock::now());
  }
  event_.reset();
  Read();
  if (source_ == nullptr) return;
  const bool continues = !token_.empty();
  const bool changed = plan_.share.newest > std::max(*setting_.told, told_);
  exact_ = acknowledgement.resumed() && !changed;
  gap_.reset();
  if (continues ? !exact_ : *setting_.acknowledged) gap_ = v1::DISCONTINUITY_REASON_OWNER_CHANGED;
  // What the node tells of its own gap is told with this one.
  if (event_.has_value() &&
      event_->event_field == v1::SubscriptionEvent::kDiscontinuityFieldNumber && gap_.has_value()) {
    v1::Discontinuity told;
    if (!changed &&
        told.ParseFromArray(event_->event.data(), static_cast<int>(event_->event.size()))) {
      gap_ = told.reason();
    }
    event_.reset();
  }
  place_after_gap_ = at;
  if (!gap_.has_value()) GapTold();
  live_ = true;
  failures_ = 0;
  why_ = absl::OkStatus();
}

void NodeFeed::GapTold() {
  gap_.reset();
  told_ = plan_.share.newest;
  if (!place_after_gap_.has_value()) return;
  place_ = std::exchange(place_after_gap_, std::nullopt);
  token_.resize(ResumeToken::kBytes);
  place_->Write(token_.data());
}

const std::optional<EventFields>& NodeFeed::Peek() {
  Read();
  return event_;
}

void NodeFeed::Pop() {
  if (const auto place = ResumeToken::Read(event_->resume_token); place.has_value()) {
    place_ = place;
    token_.assign(event_->resume_token);
  }
  event_.reset();
}

void NodeFeed::Read() {
  while (!event_.has_value() && source_ != nullptr) {
    if (!events_.has_value()) {
      message_ = source_->message();
      if (message_.keeper == nullptr) return;
      events_.emplace(message_.bytes);
    }
    if (events_->Next()) {
      if (!events_->Is(v1::SubscribeResponse::kEventsFieldNumber)) continue;
      event_ = ReadEvent(events_->bytes());
      if (event_.has_value()) return;
    } else if (events_->well_formed()) {
      events_.reset();
      message_ = {};
      source_->Next();
      heard_at_ = Clock::now();  // the next one may have been waiting for this
      continue;
    }
    Fail(FeedEnd::kUnreachable, Unreachable("its reply is malformed"), Clock::now());
  }
}

absl::Status NodeFeed::End(const CallEnd& end, Clock::time_point now) {
  const absl::Status status = end.status;
  const v1::ErrorReason reason = ReasonOf(status);
  // The caller asked for it, or has to mend it.
  if (reason == v1::SUBSCRIBER_TOO_SLOW) return status;
  if (status.code() == absl::StatusCode::kInvalidArgument && !*setting_.acknowledged) return status;
  if (status.code() == absl::StatusCode::kInvalidArgument) token_.clear();  // so there is a gap
  if (OwnersChanged(reason)) {
    Fail(FeedEnd::kMoved, status, now);
  } else if (reason == v1::OVERLOADED) {
    Fail(FeedEnd::kRefused, status, now);
  } else {
    Fail(FeedEnd::kUnreachable,
         reason == v1::PEER_UNREACHABLE ? status : Unreachable(std::string(status.message())), now);
  }
  return absl::OkStatus();
}

void NodeFeed::Fail(FeedEnd reason, absl::Status why, Clock::time_point now) {
  setting_.here->tally()->Count(reason);
  Close();
  why_ = std::move(why);
  retry_at_ = now + PauseAfter(failures_++);
}

void NodeFeed::Close() {
  live_ = false;
  event_.reset();
  events_.reset();
  message_ = {};
  gap_.reset();
  place_after_gap_.reset();
  source_.reset();
}

absl::Status NodeFeed::Unreachable(const std::string& why) const {
  return PeerUnreachable(plan_.id, plan_.node->internal_address, absl::UnavailableError(why),
                         /*sent=*/false);
}

}  // namespace ferrite
