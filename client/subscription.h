#pragma once

// A subscription of a client: messages of channels and events of keys, for as long as the caller
// wants. cache.proto (Subscribe) says what can be followed and what the server promises.
//
//   v1::SubscribeRequest request;
//   request.add_channels("news");
//   std::unique_ptr<Subscription> news = client->Subscribe(request);
//   while (true) {
//     absl::StatusOr<v1::SubscriptionEvent> event = news->Next(absl::Seconds(1));
//     if (event.ok()) Use(*event);
//     else if (!absl::IsDeadlineExceeded(event.status())) break;
//   }
//
// Every event is passed on, in order: messages and key events, but also the Acknowledgement of each
// stream, Discontinuities and Heartbeats.
//
// Connections. A stream goes to any node that can be reached. A stream that breaks is replaced,
// without a limit on the number of tries: after the pauses of the client's RetryPolicy, whose
// max_attempts does not apply here, or when the server says. The new stream resumes after the last
// event that arrived, so nothing comes twice, and a Discontinuity announces what the server no
// longer has. Silence counts as a break: a stream on which nothing came for three times the
// heartbeat_ms of the request. A failure that would repeat itself ends the subscription: a request
// that the server refuses, such as INVALID_ARGUMENT, and a subscriber that asked to be ended when
// it is too slow.
//
// End. Cancel(), the destructor and the end of the client end it with CANCELLED.

#include <cstddef>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ferrite/v1/cache.pb.h"

namespace ferrite {

class EventReceiver;
class SubscriptionStream;
class WaitingEvents;

struct SubscriptionOptions {
  // Once this many events, or bytes of them, wait for Next(), the stream is not read until half of
  // them are gone, and the server's policy for slow consumers applies. The last message that was
  // read may exceed the limits. At least 1; 0 counts as 1. Not used with callbacks.
  size_t max_waiting_events = 1024;
  size_t max_waiting_bytes = size_t{64} << 20;
};

// Called on a completion thread of the client, one at a time, perhaps before Subscribe() has
// returned. They must not block, as the stream is not read meanwhile, nor destroy the subscription
// or the client. Any of them may be empty.
struct SubscriptionCallbacks {
  // Each event, in order.
  absl::AnyInvocable<void(const v1::SubscriptionEvent& event)> on_event;
  // The stream broke, or could not be opened, and will be tried again.
  absl::AnyInvocable<void(const absl::Status& why)> on_lost;
  // It is over and will not be tried again. Called once, after everything else.
  absl::AnyInvocable<void(const absl::Status& why)> on_end;
};

// Made by Client::Subscribe(). Cancel() and resume_token() are thread-safe, and may be called
// within callbacks; so is Next(), but concurrent callers get events in no particular order. It may
// outlive its client.
class Subscription {
 public:
  // Cancels it and returns after the last callback has. Must not be called within a callback.
  ~Subscription();
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;

  // Waits for the next event. DEADLINE_EXCEEDED if none came in time; any other error: the
  // subscription is over, and why. Events that had arrived are returned first. FAILED_PRECONDITION
  // on a subscription with callbacks, and on a completion thread.
  absl::StatusOr<v1::SubscriptionEvent> Next(absl::Duration timeout);

  // Ends it soon with CANCELLED, unless it ends in another way first.
  void Cancel();

  // Where a later subscription to the same topics would continue: the token of the last event that
  // was passed on (within on_event: of the current one), or that of the request if there was none
  // yet.
  std::string resume_token() const;

 private:
  friend class Client;

  // `waiting` is the receiver, or null if it has callbacks.
  Subscription(std::shared_ptr<SubscriptionStream> stream, std::shared_ptr<EventReceiver> receiver,
               std::shared_ptr<WaitingEvents> waiting);

  const std::shared_ptr<SubscriptionStream> stream_;
  const std::shared_ptr<EventReceiver> receiver_;
  const std::shared_ptr<WaitingEvents> waiting_;
};

}  // namespace ferrite
