#include "server/routing/routed_scan.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "ferrite/v1/cache.pb.h"
#include "server/call/status.h"
#include "server/engine/serving_thread.h"
#include "server/engine/timers.h"
#include "server/routing/cluster_cursor.h"
#include "server/routing/local_scan.h"

namespace ferrite {
namespace {

using cluster::Route;

constexpr int kMostRounds = 8;
// How often, and after what pause, a node is asked again that sees another map.
constexpr int kMostTries = 40;
constexpr std::chrono::milliseconds kPause(50);

// Of this node alone: what was forwarded, or comes from a client that knows the nodes itself.
class OwnScan final : public Answer {
 public:
  OwnScan(Store* store, ThreadRouting* here, std::optional<uint64_t> mark)
      : scan_(store, here, mark) {}
  absl::Status Begin(const v1::ScanRequest& request) { return scan_.Begin(request); }

  Next Advance(ReplyWriter* message, CallEnd* end) override {
    v1::ScanResponse response;
    const absl::StatusOr<bool> more = scan_.Next(&response);
    if (!more.ok()) end->status = more.status();
    if (!more.ok() || !*more) return Next::kEnd;
    message->AppendMessage(response);
    return Next::kMessage;
  }

 private:
  LocalScan scan_;
};

class ClusterScan final : public Answer {
 public:
  ClusterScan(Store* store, ThreadRouting* here, v1::ScanRequest request,
              std::optional<ClusterCursor> cursor, Waker waker)
      : store_(*store),
        here_(*here),
        request_(std::move(request)),
        waker_(std::move(waker)),
        left_(request_.limit() == 0 ? UINT64_MAX : request_.limit()) {
    if (cursor.has_value()) {
      place_ = *std::move(cursor);
    } else {
      place_.generation = here_.view().version().generation;
    }
  }
  ~ClusterScan() override {
    if (remote_ != nullptr) remote_->Abandon();
  }

  Next Advance(ReplyWriter* message, CallEnd* end) override {
    while (true) {
      if (Clock::now() < retry_at_) {
        timer_.Set(ServingThread::Current()->timers(), retry_at_);
        return Next::kWait;
      }
      if (local_ == nullptr && remote_ == nullptr) {
        absl::StatusOr<bool> more = BeginNode();
        if (!more.ok()) end->status = more.status();
        if (!more.ok() || left_ == 0 || told_end_) return Next::kEnd;
        if (!*more) {
          told_end_ = true;
          message->AppendMessage(v1::ScanResponse());  // without a cursor
          return Next::kMessage;
        }
      }
      v1::ScanResponse response;
      const absl::StatusOr<Step> step =
          local_ != nullptr ? FromHere(&response) : FromPeer(&response);
      if (!step.ok()) {
        end->status = step.status();
        return Next::kEnd;
      }
      if (*step == Step::kWait) return Next::kWait;
      if (*step == Step::kRetry) continue;
      if (*step == Step::kNodeEnds) {
        // It may have sent as many as it was to, some of which were not wanted.
        any_of_node_ && !place_.inside.empty() ? CloseNode() : EndNode();
        continue;
      }
      any_of_node_ = true;
      tries_ = 0;
      LeaveOutUnwanted(&response);
      if (left_ != UINT64_MAX) left_ -= static_cast<uint64_t>(response.entries_size());
      place_.inside = response.cursor();
      // The node's end; that of the scan comes as a message of its own.
      if (place_.inside.empty()) EndNode();
      response.set_cursor(place_.Encode());
      message->AppendMessage(response);
      return Next::kMessage;
    }
  }

 private:
  using Clock = std::chrono::steady_clock;

  enum class Step { kMessage, kWait, kNodeEnds, kRetry };

  using Owners = std::map<std::string, Route>;

  bool IsWanted(const cluster::ClusterView& view, uint32_t slot) const {
    if (place_.after == 0) return true;
    const uint64_t since = view.owned_since(slot);
    return since == 0 || since > place_.after;
  }

  // The owners of slots that are wanted, by their ids.
  absl::StatusOr<Owners> OwnersIn(const cluster::ClusterView& view) const {
    Owners owners;
    std::optional<Route> before;
    for (uint32_t slot = 0; slot < kSlotCount; ++slot) {
      const Route route = view.route(slot);
      if (route == before || !IsWanted(view, slot)) continue;
      before = route;
      if (route.place != Route::Place::kHere && route.place != Route::Place::kElsewhere) {
        return NotServed(WayOf(view, route, true, true), view, slot);
      }
      const cluster::ViewNode& node = *view.nodes()[route.node];
      const auto [owner, is_new] = owners.try_emplace(node.id, route);
      // What a process owned that is gone is not its successor's yet.
      if (!is_new && node.address.empty()) owner->second = route;
    }
    return owners;
  }

  // Begins to scan the node that is next; false if there is none left.
  absl::StatusOr<bool> BeginNode() {
    if (left_ == 0) return false;
    const NodeShares& shares = here_.shares();
    const cluster::ClusterView& view = here_.last_view();
    absl::StatusOr<Owners> owners = OwnersIn(view);
    if (!owners.ok()) return owners.status();
    auto owner = owners->lower_bound(place_.node);
    if (owner == owners->end()) {
      if (view.version().generation == place_.generation) return false;
      if (++rounds_ == kMostRounds) return NotServed(Way::kInTransition, view, 0);
      place_ = {.generation = view.version().generation, .after = place_.generation};
      owners = OwnersIn(view);
      if (!owners.ok()) return owners.status();
      owner = owners->begin();
      if (owner == owners->end()) return false;
    }
    if (owner->first != place_.node) place_.inside.clear();
    place_.node = owner->first;
    request_.set_cursor(place_.inside);
    request_.set_limit(left_ == UINT64_MAX ? 0 : static_cast<uint32_t>(left_));
    if (owner->second.place == Route::Place::kHere) {
      local_ = std::make_unique<LocalScan>(&store_, &here_);
      if (absl::Status status = local_->Begin(request_); !status.ok()) return status;
    } else {
      const cluster::ViewNode& node = *view.nodes()[owner->second.node];
      address_ = node.internal_address;
      if (address_.empty()) {
        return PeerUnreachable(node.id, "", absl::UnavailableError("it does not live"), false);
      }
      const uint64_t mark = shares.elsewhere[owner->second.node].mark;
      remote_ = here_.OpenStream(node, Method::kScan, request_.SerializeAsString(), waker_,
                                 {{kMarkMetadata, absl::StrCat(mark)}});
    }
    return true;
  }

  void EndNode() {
    place_.node += '\0';  // the next one after it
    place_.inside.clear();
    CloseNode();
  }

  void CloseNode() {
    any_of_node_ = false;
    local_.reset();
    if (remote_ != nullptr) std::exchange(remote_, nullptr)->Abandon();
  }

  void LeaveOutUnwanted(v1::ScanResponse* response) const {
    if (place_.after == 0) return;
    auto* const entries = response->mutable_entries();
    const cluster::ClusterView& view = here_.view();
    int kept = 0;
    for (int i = 0; i < entries->size(); ++i) {
      if (IsWanted(view, SlotOf(entries->Get(i).key()))) entries->SwapElements(i, kept++);
    }
    entries->DeleteSubrange(kept, entries->size() - kept);
  }

  absl::StatusOr<Step> FromHere(v1::ScanResponse* response) {
    const absl::StatusOr<bool> more = local_->Next(response);
    if (!more.ok()) return more.status();
    return *more ? Step::kMessage : Step::kNodeEnds;
  }

  absl::StatusOr<Step> FromPeer(v1::ScanResponse* response) {
    if (remote_->message() != nullptr) {
      const bool parsed = remote_->message()->ParseInto(response);
      remote_->Next();
      if (parsed) return Step::kMessage;
      return PeerUnreachable(place_.node, address_,
                             absl::UnavailableError("its reply is malformed"), false);
    }
    if (!remote_->end().has_value()) return Step::kWait;
    const absl::Status end = *remote_->end();
    if (end.ok()) return Step::kNodeEnds;
    if (ReasonOf(end) == v1::SLOT_IN_TRANSITION && ++tries_ < kMostTries) {
      // Both will soon see the same map.
      CloseNode();
      retry_at_ = Clock::now() + kPause;
      return Step::kRetry;
    }
    return ReasonOf(end) != v1::ERROR_REASON_UNSPECIFIED
               ? end
               : PeerUnreachable(place_.node, address_, end, false);
  }

  Store& store_;
  ThreadRouting& here_;
  v1::ScanRequest request_;  // to the node that is being scanned
  const Waker waker_;
  uint64_t left_;
  int rounds_ = 0;
  int tries_ = 0;  // without a message, as a node saw another map
  Clock::time_point retry_at_;
  Timer timer_{[this] { waker_.Wake(); }};
  bool told_end_ = false;
  bool any_of_node_ = false;  // messages
  ClusterCursor place_;
  std::string address_;
  std::unique_ptr<LocalScan> local_;
  RemoteStream* remote_ = nullptr;
};

}  // namespace

Handler RoutedScan(Store* store, const Router* router) {
  return [store, router](Turn* turn) -> absl::Status {
    v1::ScanRequest request;
    if (!turn->request().ParseInto(&request)) return Malformed("ScanRequest");
    ThreadRouting* const here = router->of(turn->thread_index());
    if (!ThreadRouting::MayForward(turn->caller())) {
      auto own = std::make_unique<OwnScan>(store, here, MarkOf(turn->caller()));
      if (absl::Status status = own->Begin(request); !status.ok()) return status;
      turn->Later(std::move(own));
      return absl::OkStatus();
    }
    std::optional<ClusterCursor> cursor;
    if (!request.cursor().empty()) {
      cursor = DecodeClusterCursor(request.cursor());
      if (!cursor.has_value()) {
        return InvalidArgument(v1::CURSOR_INVALID,
                               "the cursor is not from this cluster; scan from the beginning");
      }
    }
    turn->Later(std::make_unique<ClusterScan>(store, here, std::move(request), std::move(cursor),
                                              turn->waker()));
    return absl::OkStatus();
  };
}

}  // namespace ferrite
