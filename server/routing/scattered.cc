#include "server/routing/scattered.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/links.h"
#include "ferrite/v1/cache.pb.h"
#include "proto/wire/field_reader.h"
#include "proto/wire/field_writer.h"
#include "proto/wire/frame_result.h"
#include "server/call/limits.h"
#include "server/routing/destination.h"
#include "server/routing/parcels.h"
#include "server/routing/served_since.h"

namespace ferrite {
namespace {

using v1::PipelineRequest;

// A frame with its reply, once that is there.
struct LocalReply {
  std::string bytes;
  Request request;
};

class ScatteredAnswer final : public Answer, private Link {
 public:
  ScatteredAnswer(size_t operations, bool in_order, Gather gather, const Handler* frames,
                  ThreadRouting* here, Turn* turn)
      : in_order_(in_order),
        gather_(gather),
        frames_(*frames),
        received_(turn->received()),
        caller_(turn->caller()),
        here_(*here),
        since_(here),
        forwarded_(
            std::make_shared<ForwardedOperations>(turn->waker(), ThreadRouting::TraceOf(caller_))) {
    parts_.reserve(operations);
    if (in_order_) here_.frames()->Append(this);
  }
  ~ScatteredAnswer() override {
    forwarded_->Abandon();
    Unlink();
  }

  void Begin(const std::vector<ScatteredOperation>& operations, const Request& request) {
    const cluster::ClusterView& view = here_.view();
    const bool may_serve = here_.may_serve();
    const bool may_forward = ThreadRouting::MayForward(caller_);
    Parcels parcels(forwarded_.get(), &here_, round_);
    for (const ScatteredOperation& each : operations) {
      Part& part = parts_.emplace_back();
      part.reads = each.reads;
      part.problem = each.problem;
      if (!part.problem.ok()) continue;
      if (!each.key.empty()) {
        part.slot = SlotOf(each.key);
        part.way = WayOf(view, view.route(part.slot), may_serve, may_forward);
      }
      if (part.way == Way::kForward) {
        if (each.operation.has_request_id && forwarded_->request_scope().empty())
          forwarded_->SetScope(here_.ScopeOf(caller_));
        part.sent = parcels.Add(part.slot, each.operation);
      } else if (part.way == Way::kServe) {
        part.index = local_count_++;
      } else {
        part.problem = here_.Refuse(part.way, part.slot);
      }
    }
    parcels.Send();
    if (in_order_ && local_count_ == parts_.size()) {
      local_request_ = Request(request.bytes());  // a frame of which all is served here
    } else {
      WriteLocalFrame(operations);
    }
    ServeHere();
  }

  Next Advance(ReplyWriter* message, CallEnd* end) override {
    if (later_ != nullptr && !since_.AllStill()) LeaveOutLapsed();
    if (later_ != nullptr) {
      CallEnd local_end;
      if (const Next next = later_->Advance(&local_writer_, &local_end); next != Next::kEnd) {
        return next;
      }
      later_.reset();
      TakeLocalReply(local_end.status);
    }
    ScatteredResults results;
    do {
      if (!forwarded_->all_ended()) {
        return in_order_ && here_.has_room_for_replies() ? Next::kWaitBeside : Next::kWait;
      }
      results = Results();
    } while (SendSomeAgain(results));
    for (size_t i = 0; i < parts_.size(); ++i) {
      if (IsForwarded(parts_[i])) here_.tally()->Count(FateOf(results[i].result));
    }
    end->status = gather_(results, message);
    return Next::kEnd;
  }

 private:
  struct Part {
    Way way = Way::kServe;
    bool reads = false;
    uint32_t slot = kSlotCount;  // kSlotCount: none
    size_t index = 0;            // among those that are served here
    Parcels::Place sent;         // if it was forwarded
    absl::Status problem;
  };

  void WriteLocalFrame(const std::vector<ScatteredOperation>& operations) {
    for (size_t i = 0; i < parts_.size(); ++i) {
      if (!IsServedHere(parts_[i])) continue;
      const LaneOperation& operation = operations[i].operation;
      const size_t size = operation.Size({});
      const size_t begin = local_frame_.size();
      local_frame_.resize(begin + BytesFieldSize(kOperations, size));
      FieldWriter writer(local_frame_.data() + begin);
      writer.Head(kOperations, size);
      operation.Write({}, &writer);
    }
    local_request_ = Request(std::string_view(local_frame_));
  }

  void ServeHere() {
    if (local_count_ == 0) return;
    Turn part(local_request_, received_, caller_, &local_writer_, nullptr);
    const absl::Status status = frames_(&part);
    later_ = part.TakeAnswer();
    if (later_ == nullptr) TakeLocalReply(status);
  }

  // As in Serve: before each step of an answer that has not written anything yet. What is no longer
  // served here is taken out of the frame, which begins anew.
  void LeaveOutLapsed() {
    std::string frame;
    size_t left = 0;
    FieldReader operation(local_request_.bytes());
    for (Part& part : parts_) {
      if (!IsServedHere(part)) continue;
      while (operation.Next() && !operation.Is(kOperations)) {
      }
      const Way way = part.slot == kSlotCount ? Way::kServe : here_.WayTo(part.slot, false);
      if (way != Way::kServe) {
        part.problem = here_.Refuse(way == Way::kMoved ? Way::kInTransition : way, part.slot);
        continue;
      }
      part.index = left++;
      const size_t begin = frame.size();
      frame.resize(begin + BytesFieldSize(kOperations, operation.bytes()));
      FieldWriter(frame.data() + begin).Bytes(kOperations, operation.bytes());
    }
    if (left == local_count_) return;
    later_.reset();
    local_count_ = left;
    local_frame_ = std::move(frame);
    local_request_ = Request(std::string_view(local_frame_));
    ServeHere();
  }

  void TakeLocalReply(const absl::Status& status) {
    local_status_ = status;
    if (!status.ok()) return;
    auto reply = std::make_shared<LocalReply>();
    reply->bytes = TakeBytes(&local_writer_);
    reply->request = Request(std::string_view(reply->bytes));
    local_reply_ = std::shared_ptr<const Request>(reply, &reply->request);
    FrameResultReader results(local_reply_->bytes());
    while (const std::optional<FrameResult> result = results.Next()) {
      local_results_.push_back(*result);
    }
    FERRITE_CHECK(local_results_.size() == local_count_);
  }

  ScatteredResult ResultOfPart(const Part& part, bool all_still) const {
    if (!part.problem.ok()) return {.result = {.status = part.problem}};
    if (part.way == Way::kForward) {
      const auto& [parcel, index] = part.sent;
      return {.result = ResultOf(*parcel, index), .reply = &parcel->reply};
    }
    if (!all_still && part.slot != kSlotCount) {
      if (absl::Status lapsed = since_.Check(part.slot); !lapsed.ok()) {
        return {.result = {.status = std::move(lapsed)}};
      }
    }
    if (!local_status_.ok()) return {.result = {.status = local_status_}};
    const FrameResult& result = local_results_[part.index];
    return {.result = {.field = result.field, .message = result.message}, .reply = &local_reply_};
  }

  // All have ended.
  ScatteredResults Results() const {
    ScatteredResults results;
    results.reserve(parts_.size());
    const bool all_still = since_.AllStill();
    for (const Part& part : parts_) results.push_back(ResultOfPart(part, all_still));
    return results;
  }

  // Sends again what found no room, but no more than will probably fit into the reply. Returns
  // whether there is any. The first of them always finds room, unless the peer is odd.
  bool SendSomeAgain(const ScatteredResults& results) {
    size_t largest = 0;
    bool is_short_of_room = false;
    for (size_t i = 0; i < parts_.size(); ++i) {
      if (!IsForwarded(parts_[i])) continue;
      largest = std::max(largest, results[i].result.message.size());
      is_short_of_room |= FoundNoRoom(results[i].result);
    }
    if (!is_short_of_room) return false;
    if (round_ > 0 && FoundNoRoom(results[first_again_].result)) return false;
    const cluster::ClusterView& view = here_.view();
    Parcels parcels(forwarded_.get(), &here_, ++round_);
    size_t bytes = 0;  // of results so far, and of those that are expected
    bool any = false;
    for (size_t i = 0; i < parts_.size() && bytes <= kMaxReplyBytes; ++i) {
      Part& part = parts_[i];
      bytes += results[i].result.message.size();
      if (!IsForwarded(part) || !FoundNoRoom(results[i].result) || (in_order_ && IsOvertaken(i))) {
        continue;
      }
      bytes += largest;
      if (any && bytes > kMaxReplyBytes) break;
      if (!std::exchange(any, true)) first_again_ = i;
      SendAgain(view, &part, &parcels);
    }
    parcels.Send();
    return any;
  }

  void SendAgain(const cluster::ClusterView& view, Part* part, Parcels* parcels) {
    const LaneOperation operation = part->sent.parcel->operations[part->sent.index];
    const Way way = WayOf(view, view.route(part->slot), /*may_serve=*/true, /*may_forward=*/true);
    if (way == Way::kForward) {
      part->sent = parcels->Add(part->slot, operation);
    } else {
      // Of what is served here by now: a moment ago it was not.
      part->problem = NotServed(way == Way::kServe ? Way::kInTransition : way, view, part->slot);
      here_.tally()->Count(FateOf({.status = part->problem}));
    }
  }

  // By a later operation of the stream.
  bool IsOvertaken(size_t index) const {
    const Part& part = parts_[index];
    if (Overtakes(part, index + 1)) return true;
    for (const Link* link = next(); link != here_.frames(); link = link->next()) {
      const auto& later = static_cast<const ScatteredAnswer&>(*link);
      if (&later.caller_ == &caller_ && later.Overtakes(part, 0)) return true;
    }
    return false;
  }
  // Whether one of this frame's, from that one on, does.
  bool Overtakes(const Part& part, size_t from) const {
    return std::any_of(parts_.begin() + static_cast<std::ptrdiff_t>(from), parts_.end(),
                       [&part](const Part& later) {
                         return later.slot == part.slot && !(later.reads && part.reads);
                       });
  }

  static constexpr int kOperations = PipelineRequest::kOperationsFieldNumber;

  static bool IsServedHere(const Part& part) {
    return part.way == Way::kServe && part.problem.ok();
  }
  static bool IsForwarded(const Part& part) {
    return part.way == Way::kForward && part.problem.ok();
  }

  const bool in_order_;
  const Gather gather_;
  const Handler& frames_;
  const Turn::Clock::time_point received_;
  const Caller& caller_;
  ThreadRouting& here_;
  const ServedSince since_;
  const std::shared_ptr<ForwardedOperations> forwarded_;
  std::vector<Part> parts_;
  uint32_t round_ = 0;      // of what was sent again
  size_t first_again_ = 0;  // in that round

  // What is served here: a frame, its answer if that is not there at once, and its reply.
  size_t local_count_ = 0;
  std::string local_frame_;
  Request local_request_;
  ReplyWriter local_writer_;
  std::unique_ptr<Answer> later_;
  absl::Status local_status_;
  std::shared_ptr<const Request> local_reply_;
  std::vector<FrameResult> local_results_;
};

}  // namespace

absl::Status Scatter(const std::vector<ScatteredOperation>& operations, bool in_order,
                     Gather gather, const Handler* frames, ThreadRouting* here, Turn* turn) {
  auto answer =
      std::make_unique<ScatteredAnswer>(operations.size(), in_order, gather, frames, here, turn);
  answer->Begin(operations, turn->request());
  turn->Later(std::move(answer));
  return absl::OkStatus();
}

}  // namespace ferrite
