#include "server/routing/routed_unary.h"

#include <optional>
#include <utility>

#include "server/call/status.h"
#include "server/routing/forwarded_call.h"
#include "server/routing/operation_key.h"
#include "server/routing/served_since.h"

namespace ferrite {

Handler RoutedUnary(Handler plain, int field, const Router* router) {
  return [plain = std::move(plain), field, router](Turn* turn) -> absl::Status {
    const std::optional<RequestPlace> place = PlaceOfRequest(turn->request());
    if (!place.has_value()) return Malformed(RequestNameOf(field));
    const uint32_t slot = place->slot;
    if (slot == kSlotCount) return plain(turn);  // which refuses it
    ThreadRouting* const here = router->of(turn->thread_index());
    const ServedSince since(here);
    const Way way = here->WayTo(slot, /*may_forward=*/true);
    if (way == Way::kServe) [[likely]]
      return Serve(plain, {slot}, since, turn);
    const bool is_elsewhere = way == Way::kForward || way == Way::kOwnerGone;
    if (is_elsewhere && !ThreadRouting::MayForward(turn->caller())) {
      return here->Refuse(Way::kMoved, slot);
    }
    if (way != Way::kForward) return here->Refuse(way, slot);
    ForwardCall(turn, field, *place, here);
    return absl::OkStatus();
  };
}

}  // namespace ferrite
