#include "server/routing/destination.h"

#include "server/call/status.h"

namespace ferrite {
namespace {

using cluster::ClusterView;
using cluster::Route;

std::string Slot(uint32_t slot) { return "slot " + std::to_string(slot); }

absl::Status Unavailable(v1::ErrorReason reason, const std::string& text, const ClusterView& view,
                         uint32_t slot, const std::string& executed = "no") {
  return MakeError(absl::StatusCode::kUnavailable, reason, text,
                   {{"slot", std::to_string(slot)},
                    {"epoch", std::to_string(view.version().epoch)},
                    {"executed", executed}});
}

absl::Status Moved(const ClusterView& view, uint32_t slot) {
  const cluster::ViewNode& owner = *view.nodes()[view.route(slot).node];
  return MakeError(
      absl::StatusCode::kFailedPrecondition, v1::SLOT_MOVED,
      Slot(slot) + " belongs to node " + owner.id + " at " + owner.address + "; nothing was done",
      {{"slot", std::to_string(slot)},
       {"owner", owner.id},
       {"address", owner.address},
       {"epoch", std::to_string(view.version().epoch)}});
}

}  // namespace

Way WayOf(const ClusterView& view, Route route, bool may_serve, bool may_forward) {
  switch (route.place) {
    case Route::Place::kHere:
      return may_serve ? Way::kServe : Way::kLeaseLost;
    case Route::Place::kElsewhere:
      if (!may_forward) return Way::kMoved;
      return view.nodes()[route.node]->address.empty() ? Way::kOwnerGone : Way::kForward;
    case Route::Place::kReleasing:
    case Route::Place::kPreparing:
      return Way::kInTransition;
    case Route::Place::kNobody:
      break;
  }
  return Way::kUnowned;
}

absl::Status NotServed(Way way, const ClusterView& view, uint32_t slot) {
  switch (way) {
    case Way::kMoved:
      return Moved(view, slot);
    case Way::kOwnerGone:
      return PeerUnreachable(view.nodes()[view.route(slot).node]->id, "",
                             absl::UnavailableError("it does not live"), /*sent=*/false);
    case Way::kInTransition:
      return Unavailable(v1::SLOT_IN_TRANSITION,
                         Slot(slot) + " changes its owner at this moment; nothing was done", view,
                         slot);
    case Way::kLeaseLost:
      return Unavailable(v1::LEASE_LOST,
                         "this node has not heard of etcd for too long to serve " + Slot(slot) +
                             "; nothing was done",
                         view, slot);
    default:
      return Unavailable(v1::SLOT_UNOWNED, "no node owns " + Slot(slot) + "; nothing was done",
                         view, slot);
  }
}

absl::Status Lapsed(const ClusterView& view, uint32_t slot) {
  return Unavailable(v1::LEASE_LOST,
                     "the right to serve " + Slot(slot) +
                         " ended before the answer was out; what was done may be lost",
                     view, slot, "unknown");
}

absl::Status PeerUnreachable(const std::string& node, const std::string& address,
                             const absl::Status& cause, bool sent) {
  const std::string at = address.empty() ? "" : " at " + address;
  const std::string why = cause.message().empty() ? "" : ": " + std::string(cause.message());
  return MakeError(absl::StatusCode::kUnavailable, v1::PEER_UNREACHABLE,
                   "node " + node + at + ", to which this belongs, could not be reached" + why +
                       (sent ? "; it may have been executed" : "; nothing was done"),
                   {{"node", node}, {"address", address}, {"executed", sent ? "unknown" : "no"}});
}

}  // namespace ferrite
