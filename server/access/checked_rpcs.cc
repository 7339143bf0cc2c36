#include "server/access/checked_rpcs.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/check.h"
#include "ferrite/v1/cache.pb.h"
#include "server/access/checked_batch.h"
#include "server/access/checked_frames.h"
#include "server/access/checked_stream.h"
#include "server/access/demand.h"
#include "server/auth/denial.h"
#include "server/call/status.h"
#include "server/engine/joined_request.h"
#include "server/events/glob.h"

namespace ferrite {
namespace {

using policy::Rights;
using policy::Verb;
using policy::Verbs;

// The field of Operation for a method about one key or channel.
int OperationFieldOf(Method method) {
  switch (method) {
    case Method::kGet:
      return v1::Operation::kGetFieldNumber;
    case Method::kSet:
      return v1::Operation::kSetFieldNumber;
    case Method::kDelete:
      return v1::Operation::kDeleteFieldNumber;
    case Method::kTouch:
      return v1::Operation::kTouchFieldNumber;
    case Method::kIncr:
      return v1::Operation::kIncrFieldNumber;
    case Method::kPublish:
      return v1::Operation::kPublishFieldNumber;
    default:
      FERRITE_CHECK(false);
      return 0;
  }
}

Handler CheckedRequest(int field, Handler plain, const AccessControl* access) {
  return [field, plain = std::move(plain), access](Turn* turn) -> absl::Status {
    thread_local std::string name;
    name.clear();
    const Identity who = access->Identify(turn->caller());
    if (who.rights->empty()) return Denied(who);
    const Demand demand = DemandOfRequest(field, turn->request(), &name);
    if (!demand.problem.ok()) return demand.problem;
    return Allows(who, demand) ? plain(turn) : Denied(who);
  };
}

bool HasAny(const Identity& who) { return !who.rights->empty(); }
bool MayAdminister(const Identity& who) { return who.rights->may_administer(); }

Handler CheckedCaller(bool (*may)(const Identity&), const Rpc& rpc, AccessControl* access) {
  if (rpc.shape == Shape::kStream || rpc.shape == Shape::kFeed) {
    const ReadWish wish = [may](const Request&, MayHave* may_have) {
      *may_have = may;
      return absl::OkStatus();
    };
    return CheckedStream(rpc.handler, wish, access);
  }
  return [may, plain = rpc.handler, access,
          frames = rpc.shape == Shape::kFrames](Turn* turn) -> absl::Status {
    if (frames) {
      const Identity& who = access->IdentifyStream(turn);
      return may(who) ? plain(turn) : Denied(who);
    }
    const Identity who = access->Identify(turn->caller());
    return may(who) ? plain(turn) : Denied(who);
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

bool MaySubscribe(const Rights& rights, const v1::SubscribeRequest& request) {
  constexpr Verbs kSubscribe = Verb::kSubscribe;
  // There is nothing in it, or something that is refused as it is: by the handler.
  if (!rights.MaySomewhere(kSubscribe)) return false;
  for (const std::string& channel : request.channels()) {
    if (!channel.empty() && !rights.MayOnChannel(kSubscribe, channel)) return false;
  }
  for (const std::string& text : request.channel_globs()) {
    if (text.empty() || text.size() > Glob::kMaxBytes) continue;
    const std::optional<Glob> glob = Glob::Parse(text);
    if (!glob.has_value()) continue;
    const std::string& prefix = glob->literal_prefix();
    if (glob->IsLiteral() ? !rights.MayOnChannel(kSubscribe, prefix)
                          : !rights.MayOnChannelsWith(kSubscribe, prefix)) {
      return false;
    }
  }
  const Verbs on_keys = request.with_values() ? kSubscribe | Verb::kRead : kSubscribe;
  for (const std::string& key : request.keys()) {
    if (!key.empty() && !rights.MayOnKey(on_keys, key)) return false;
  }
  for (const std::string& prefix : request.key_prefixes()) {
    if (!rights.MayOnKeysWith(on_keys, prefix)) return false;
  }
  return true;
}

absl::Status ReadSubscription(const Request& request, MayHave* may_have) {
  auto wish = std::make_shared<v1::SubscribeRequest>();
  if (!request.ParseInto(wish.get())) return Malformed("SubscribeRequest");
  wish->clear_resume_token();
  *may_have = [wish = std::shared_ptr<const v1::SubscribeRequest>(std::move(wish))](
                  const Identity& who) { return MaySubscribe(*who.rights, *wish); };
  return absl::OkStatus();
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
                         const WireHandlers* wire) {
  for (Rpc& rpc : plain) {
    switch (NeedsOf(rpc.method)) {
      case Needs::kNothing:
        break;
      case Needs::kAnyRight:
        rpc.handler = CheckedCaller(&HasAny, rpc, access);
        break;
      case Needs::kAdmin:
        rpc.handler = CheckedCaller(&MayAdminister, rpc, access);
        break;
      case Needs::kKey:
      case Needs::kChannel:
        rpc.handler = CheckedRequest(OperationFieldOf(rpc.method), std::move(rpc.handler), access);
        break;
      case Needs::kBatch:
        rpc.handler =
            OfJoinedRequests(CheckedBatch(rpc.method, std::move(rpc.handler), access, cache));
        break;
      case Needs::kFrames:
        rpc.handler = OfJoinedRequests(CheckedFrames(std::move(rpc.handler), access, wire));
        break;
      case Needs::kScan:
        rpc.handler = CheckedStream(std::move(rpc.handler), &ReadScan, access);
        break;
      case Needs::kSubscribe:
        rpc.handler = CheckedStream(std::move(rpc.handler), &ReadSubscription, access);
        break;
    }
  }
  return plain;
}

}  // namespace ferrite
