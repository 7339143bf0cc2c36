#pragma once

// A stream of what this node alone tells: to another node, or to a client that knows the nodes.

#include <cstdint>
#include <memory>
#include <optional>

#include "server/engine/answer.h"
#include "server/engine/waker.h"
#include "server/events/topic_room.h"
#include "server/routing/followed_topics.h"
#include "server/routing/thread_routing.h"

namespace ferrite {

// Used on the thread of its call. Asks before each message whether this node may still tell: an
// event that another node will tell differently must not leave.
class OwnFeed final : public Answer {
 public:
  // `mark`: what the caller expects the share of this node to be; absent: the channels and keys
  // have to be here, and of globs and prefixes comes what is.
  OwnFeed(FollowedTopics topics, std::unique_ptr<TopicRoom> room, std::optional<uint64_t> mark,
          ThreadRouting* here, Waker waker);
  ~OwnFeed() override;

  // Why it may not begin, or go on; OK if it may.
  absl::Status Check();
  void Tell(std::unique_ptr<Answer> stream) { stream_ = std::move(stream); }

  Next Advance(ReplyWriter* message, CallEnd* end) override;
  void Sent() override { stream_->Sent(); }

 private:
  const FollowedTopics topics_;
  const std::unique_ptr<TopicRoom> room_;  // for these
  const std::optional<uint64_t> mark_;
  ThreadRouting& here_;
  uint64_t views_ = UINT64_MAX;  // how many there were when it was looked at
  std::unique_ptr<Answer> stream_;
};

}  // namespace ferrite
