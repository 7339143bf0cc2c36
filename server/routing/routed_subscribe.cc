#include "server/routing/routed_subscribe.h"

#include <memory>
#include <utility>

#include "ferrite/v1/cache.pb.h"
#include "server/call/status.h"
#include "server/events/topic_room.h"
#include "server/routing/composed_subscription.h"
#include "server/routing/own_feed.h"

namespace ferrite {
namespace {

absl::Status FollowHereAlone(const Handler& plain, v1::SubscribeRequest request,
                             std::unique_ptr<TopicRoom> room, ThreadRouting* here, Turn* turn) {
  auto own = std::make_unique<OwnFeed>(FollowedTopics(std::move(request)), std::move(room),
                                       MarkOf(turn->caller()), here, turn->waker());
  if (absl::Status status = own->Check(); !status.ok()) return status;
  absl::Status status = plain(turn);
  std::unique_ptr<Answer> stream = turn->TakeAnswer();
  if (!status.ok()) return status;
  own->Tell(std::move(stream));
  turn->Later(std::move(own));
  return status;
}

}  // namespace

Handler RoutedSubscribe(Handler plain, const OwnEvents& events, const Router* router) {
  return [plain = std::move(plain), events, router](Turn* turn) -> absl::Status {
    v1::SubscribeRequest request;
    if (!turn->request().ParseInto(&request)) return Malformed("SubscribeRequest");
    // The request is kept, beside what the streams keep that it is made of.
    auto room = std::make_unique<TopicRoom>(events.hub->budget(), &turn->caller());
    if (absl::Status status = room->Take(request.SpaceUsedLong()); !status.ok()) return status;
    ThreadRouting* const here = router->of(turn->thread_index());
    if (!ThreadRouting::MayForward(turn->caller())) {
      return FollowHereAlone(plain, std::move(request), std::move(room), here, turn);
    }
    SubscriptionRequest terms;
    if (absl::Status status = ParseSubscription(request, events.hub->limits().queue, &terms);
        !status.ok()) {
      return status;
    }
    turn->Later(std::make_unique<ComposedSubscription>(
        std::move(request), terms, std::move(room), here,
        events.dispatchers->at(turn->thread_index()).get(), events.hub, turn->waker()));
    return absl::OkStatus();
  };
}

}  // namespace ferrite
