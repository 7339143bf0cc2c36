#pragma once

// Where the events of one node come from: messages of its Subscribe, one at a time.

#include <memory>
#include <string_view>

#include "ferrite/v1/cache.pb.h"
#include "server/engine/answer.h"
#include "server/engine/waker.h"
#include "server/events/dispatcher.h"
#include "server/routing/thread_routing.h"

namespace ferrite {

// A serialized SubscribeResponse, and what keeps it.
struct FeedMessage {
  std::string_view bytes;
  std::shared_ptr<const void> keeper;
};

// Used on one thread. Whoever reads it is woken when there may be more.
class FeedSource {
 public:
  virtual ~FeedSource() = default;

  // The message that is there; absent (null keeper) if there is none. It stays until Next().
  virtual FeedMessage message() = 0;
  virtual void Next() = 0;
  // How it ended; null if it has not, or there still is a message.
  virtual const CallEnd* end() = 0;
  // Whether it has work to do before there is a message or none.
  virtual bool yields() const { return false; }
  // What was taken from it is out. Returns whether that may bring more.
  virtual bool Sent() { return false; }
};

// Of this node; fails as Dispatcher::Follow does.
absl::Status FollowHere(Dispatcher* dispatcher, const v1::SubscribeRequest& request,
                        const Waker& reader, std::unique_ptr<FeedSource>* source);

// Of another node. It refuses, or ends, unless what it serves has that mark (NodeShare).
std::unique_ptr<FeedSource> FollowThere(ThreadRouting* here, const cluster::ViewNode& node,
                                        uint64_t mark, const v1::SubscribeRequest& request,
                                        const Waker& reader);

}  // namespace ferrite
