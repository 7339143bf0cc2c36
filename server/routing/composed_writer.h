#pragma once

// Writes the events of a composed stream, with the sequence and the resume tokens that they have
// there instead of those of their nodes.

#include <cstdint>
#include <memory>
#include <string>

#include "proto/wire/event_codec.h"
#include "server/call/reply_writer.h"
#include "server/events/composite_token.h"
#include "server/events/subscriber_budget.h"
#include "server/routing/node_feed.h"

namespace ferrite {

// Used on one thread.
class ComposedWriter {
 public:
  // Both must outlive it. `first_token` is the caller's.
  ComposedWriter(const NodeFeeds* feeds, EventTally* tally, const std::string& first_token);

  // Up to which generation of the cluster's map the stream has told of changes of owners.
  const uint64_t& told() const { return told_; }
  void SetTold(uint64_t generation) { told_ = generation; }

  // Append to a SubscribeResponse. An event of a node, whose bytes `keeper` keeps.
  void WriteEvent(const EventFields& event, const std::shared_ptr<const void>& keeper,
                  ReplyWriter* writer);
  // One of the stream's own, complete but for its place.
  void WriteNotice(v1::SubscriptionEvent notice, ReplyWriter* writer);
  // Counts it as well.
  void WriteDiscontinuity(v1::DiscontinuityReason reason, ReplyWriter* writer);

  // The token of what was written last.
  const std::string& token() const { return token_.bytes(); }

 private:
  void UpdateToken();

  const NodeFeeds& feeds_;
  EventTally& tally_;
  CompositeToken token_;
  uint64_t told_ = 0;
  uint64_t sequence_ = 0;
};

}  // namespace ferrite
