#include "server/access/checked_rpcs.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "ferrite/v1/cache.pb.h"
#include "server/access/audited.h"
#include "server/access/checked_batch.h"
#include "server/access/checked_frames.h"
#include "server/access/checked_stream.h"
#include "server/access/demand.h"
#include "server/access/redaction.h"
#include "server/access/subscription_wish.h"
#include "server/call/method_scope.h"
#include "server/call/status.h"
#include "server/engine/joined_request.h"
#include "server/events/topic_room.h"
#include "server/routing/operation_key.h"

namespace ferrite {
namespace {

using policy::Verb;
using policy::Verbs;

// Of what is open to everybody: there is nothing in it that takes more.
constexpr size_t kMostBytesOfAnybody = size_t{64} << 10;

// What the policy asks of those who call a method at all.
struct Entrance {
  Method method;
  bool of_admins;  // else whoever has any right

  bool Admits(const Identity& who) const {
    if (!of_admins) return !who.rights->empty();
    if (!who.rights->may_administer()) return false;
    // Nobody administers the server by way of a namespace.
    if (ScopeOf(method) == MethodScope::kServer && who.name_space != nullptr) return false;
    // Whoever sees no names and values cannot help himself to them either.
    return !who.rights->redacted() || OnlyTells(method);
  }
  absl::Status Check(const Caller& caller, const Identity& who, const AccessControl* access) const {
    if (!Admits(who)) {
      const Verbs verbs = of_admins ? Verbs(Verb::kAdmin) : Verbs();
      return access->Deny(who, caller, {.method = method, .verbs = verbs});
    }
    if (of_admins) TellAdminCall(access->audit(), who, caller, method);
    return absl::OkStatus();
  }
};

// Who it is comes before what it wants: nobody's request is joined, read or waited for.
std::function<absl::Status(const Caller&)> OnlyThose(const Entrance& entrance,
                                                     const AccessControl* access) {
  return [entrance, access](const Caller& caller) {
    return entrance.Check(caller, access->Identify(caller), access);
  };
}

// For handlers that look at who calls once a large request has been joined.
Handler BeforeItIsJoined(Method method, Handler plain, const AccessControl* access) {
  return [entrance = Entrance{method, /*of_admins=*/false}, plain = std::move(plain),
          access](Turn* turn) -> absl::Status {
    if (!turn->request().in_one_piece()) [[unlikely]] {
      const Identity who = access->Identify(turn->caller());
      if (absl::Status status = entrance.Check(turn->caller(), who, access); !status.ok())
        return status;
    }
    return plain(turn);
  };
}

Handler OpenToAll(Handler plain) {
  return [plain = std::move(plain)](Turn* turn) -> absl::Status {
    const size_t bytes = turn->request().size();
    if (bytes <= kMostBytesOfAnybody) [[likely]]
      return plain(turn);
    return InvalidArgument(
        v1::REQUEST_TOO_LARGE,
        "the request has " + std::to_string(bytes) + " bytes; the limit of this call is " +
            std::to_string(kMostBytesOfAnybody),
        {{"limit", std::to_string(kMostBytesOfAnybody)}, {"size", std::to_string(bytes)}});
  };
}

Handler CheckedRequest(Method method, Handler plain, const AccessControl* access) {
  return [method, field = OperationFieldOf(method), plain = std::move(plain),
          access](Turn* turn) -> absl::Status {
    thread_local std::string name;
    name.clear();
    const Identity who = access->Identify(turn->caller());
    if (who.rights->empty()) return access->Deny(who, turn->caller(), {.method = method});
    const Demand demand = DemandOfRequest(field, turn->request(), &name);
    if (!demand.problem.ok()) return demand.problem;
    if (Allows(who, demand)) [[likely]]
      return plain(turn);
    return access->Deny(who, turn->caller(),
                        {.method = method, .verbs = demand.verbs, .name = demand.name});
  };
}

Handler CheckedCaller(const Entrance& entrance, const Rpc& rpc, AccessControl* access) {
  if (rpc.shape == Shape::kStream || rpc.shape == Shape::kFeed) {
    const ReadWish wish = [entrance](const Request&, MayHave* may_have) {
      *may_have = [entrance](const Identity& who) { return entrance.Admits(who); };
      return absl::OkStatus();
    };
    return CheckedStream(rpc.method, rpc.handler, wish, access);
  }
  return [entrance, plain = rpc.handler, access,
          frames = rpc.shape == Shape::kFrames](Turn* turn) -> absl::Status {
    if (frames) {
      const Identity& who = access->IdentifyStream(turn);
      if (!entrance.Admits(who))
        return access->Deny(who, turn->caller(), {.method = entrance.method});
      return plain(turn);
    }
    const Identity who = access->Identify(turn->caller());
    if (absl::Status status = entrance.Check(turn->caller(), who, access); !status.ok())
      return status;
    const bool redacted = who.rights->redacted() && IsRedacted(entrance.method);
    absl::Status status = plain(turn);
    if (redacted && status.ok() && !Redact(entrance.method, turn->reply()))
      return absl::InternalError("the answer could not be read");
    return status;
  };
}

// A scan needs the verb on the whole of its prefix: to leave out what is not allowed would cost as
// much as to scan it, and would look like an empty cache.
absl::Status ReadScan(const Request& request, MayHave* may_have) {
  v1::ScanRequest scan;
  if (!request.ParseInto(&scan)) return Malformed("ScanRequest");
  const Verbs verbs = scan.with_values() ? Verb::kScan | Verb::kRead : Verbs(Verb::kScan);
  *may_have = [verbs, prefix = scan.prefix()](const Identity& who) {
    return who.rights->MayOnKeysWith(verbs, prefix);
  };
  return absl::OkStatus();
}

// What it follows takes room as its topics do, besides those.
struct CountedWish {
  CountedWish(const v1::SubscribeRequest& request, std::shared_ptr<SubscriberBudget> of,
              const Caller* caller)
      : wish(request), budget(std::move(of)), room(budget.get(), caller) {}

  const SubscriptionWish wish;
  const std::shared_ptr<SubscriberBudget> budget;
  TopicRoom room;
};

ReadWish ReadSubscription(const SubscribersOf& subscribers) {
  return [subscribers](const Request& request, MayHave* may_have) -> absl::Status {
    v1::SubscribeRequest wire;
    if (!request.ParseInto(&wire)) return Malformed("SubscribeRequest");
    const std::string* const name =
        current_caller == nullptr ? nullptr : current_caller->name_space();
    const auto counted = std::make_shared<CountedWish>(wire, subscribers(name), current_caller);
    *may_have = [counted](const Identity& who) { return counted->wish.AllowedBy(*who.rights); };
    return counted->room.Take(counted->wish.memory_bytes());
  };
}

}  // namespace

Needs NeedsOf(Method method) {
  switch (method) {
    case Method::kGet:
    case Method::kSet:
    case Method::kDelete:
    case Method::kTouch:
    case Method::kIncr:
      return Needs::kKey;
    case Method::kPublish:
      return Needs::kChannel;
    case Method::kExists:
    case Method::kMGet:
    case Method::kMSet:
    case Method::kMDelete:
      return Needs::kBatch;
    case Method::kPipeline:
      return Needs::kFrames;
    case Method::kScan:
      return Needs::kScan;
    case Method::kSubscribe:
      return Needs::kSubscribe;
    case Method::kInfo:
    case Method::kStats:
    case Method::kFlush:
    case Method::kFlushWithProgress:
    case Method::kSlowLog:
    case Method::kResetSlowLog:
    case Method::kGetConfig:
    case Method::kSetConfig:
    case Method::kPutPolicy:
    case Method::kGetPolicy:
    case Method::kDrain:
    case Method::kRebalance:
      return Needs::kAdmin;
    case Method::kGetTopology:  // clients need it to find the owners of keys
    case Method::kWatchTopology:
    case Method::kReflect:
    case Method::kReflectAlpha:
    case Method::kIssueToken:  // which compares what it hands on with the caller's rights
      return Needs::kAnyRight;
    case Method::kWhoAmI:  // these check by themselves
    case Method::kCan:
    case Method::kHello:  // says who a node is, which other nodes ask before they know each other
    case Method::kHealthCheck:
    case Method::kHealthWatch:
      return Needs::kNothing;
  }
  return Needs::kAdmin;
}

std::vector<Rpc> Checked(std::vector<Rpc> plain, AccessControl* access, const CacheHandlers* cache,
                         const WireHandlers* wire, const SubscribersOf& subscribers) {
  for (Rpc& rpc : plain) {
    const Needs needs = NeedsOf(rpc.method);
    const Entrance entrance = {rpc.method, needs == Needs::kAdmin};
    if (needs != Needs::kNothing) rpc.may_come = OnlyThose(entrance, access);
    switch (needs) {
      case Needs::kNothing:
        rpc.handler = OpenToAll(std::move(rpc.handler));
        break;
      case Needs::kAnyRight:
      case Needs::kAdmin:
        rpc.handler = CheckedCaller(entrance, rpc, access);
        break;
      case Needs::kKey:
      case Needs::kChannel:
        rpc.handler = CheckedRequest(rpc.method, std::move(rpc.handler), access);
        break;
      case Needs::kBatch:
        rpc.handler = BeforeItIsJoined(
            rpc.method,
            OfJoinedRequests(CheckedBatch(rpc.method, std::move(rpc.handler), access, cache)),
            access);
        break;
      case Needs::kFrames:
        rpc.handler = BeforeItIsJoined(
            rpc.method, OfJoinedRequests(CheckedFrames(std::move(rpc.handler), access, wire)),
            access);
        break;
      case Needs::kScan:
        rpc.handler = CheckedStream(rpc.method, std::move(rpc.handler), &ReadScan, access);
        break;
      case Needs::kSubscribe:
        rpc.handler = CheckedStream(rpc.method, std::move(rpc.handler),
                                    ReadSubscription(subscribers), access);
        break;
    }
  }
  return plain;
}

}  // namespace ferrite
