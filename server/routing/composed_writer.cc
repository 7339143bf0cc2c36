#include "server/routing/composed_writer.h"

#include <utility>

#include "proto/wire/nesting.h"

namespace ferrite {
namespace {

constexpr Nesting kEventInResponse = {1, {v1::SubscribeResponse::kEventsFieldNumber}};

}  // namespace

ComposedWriter::ComposedWriter(const NodeFeeds* feeds, EventTally* tally,
                               const std::string& first_token)
    : feeds_(*feeds), tally_(*tally) {
  const auto token = CompositeToken::Read(first_token);
  if (!token.has_value()) return;  // one of a single node knows neither
  told_ = token->generation();
  sequence_ = token->sequence();
}

void ComposedWriter::WriteEvent(const EventFields& event, const std::shared_ptr<const void>& keeper,
                                ReplyWriter* writer) {
  using Event = v1::SubscriptionEvent;
  ++sequence_;
  UpdateToken();
  const size_t head = Fixed64FieldSize(Event::kSequenceFieldNumber) +
                      BytesFieldSize(Event::kResumeTokenFieldNumber, token()) +
                      HeadSize(event.event_field, event.event.size());
  const auto append_event = [&] {
    FieldWriter fields(writer->Append(head));
    fields.Fixed64(Event::kSequenceFieldNumber, sequence_);
    fields.Bytes(Event::kResumeTokenFieldNumber, token());
    fields.Head(event.event_field, event.event.size());
    writer->AppendShared(event.event, keeper);
  };
  WriteEncodedEvent(head + event.event.size(), event.coalesced, append_event, writer);
}

void ComposedWriter::WriteNotice(v1::SubscriptionEvent notice, ReplyWriter* writer) {
  UpdateToken();
  notice.set_sequence(sequence_);
  notice.set_resume_token(token());
  WriteMessage(kEventInResponse, notice, writer);
}

void ComposedWriter::WriteDiscontinuity(v1::DiscontinuityReason reason, ReplyWriter* writer) {
  if (v1::DiscontinuityReason_IsValid(reason)) {
    tally_.discontinuities[reason].fetch_add(1, std::memory_order_relaxed);
  }
  v1::SubscriptionEvent notice;
  notice.mutable_discontinuity()->set_reason(reason);
  WriteNotice(std::move(notice), writer);
}

void ComposedWriter::UpdateToken() {
  size_t known = 0;
  for (const auto& feed : feeds_) known += feed->place().has_value();
  if (known != token_.size()) {
    token_.ForgetPlaces();
    for (size_t i = 0; i < known; ++i) token_.AddPlace({});
  }
  size_t next = 0;
  for (const auto& feed : feeds_) {
    if (feed->place().has_value()) token_.SetPlace(next++, *feed->place());
  }
  token_.SetGeneration(told_);
  token_.SetSequence(sequence_);
}

}  // namespace ferrite
