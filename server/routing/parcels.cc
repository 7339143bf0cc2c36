#include "server/routing/parcels.h"

#include <algorithm>

namespace ferrite {

Parcels::Place Parcels::Add(uint32_t slot, const LaneOperation& operation) {
  Lane* const lane = here_.LaneTo(slot);
  // The last one to it: what goes one way keeps its order.
  const auto last = std::find_if(all_.rbegin(), all_.rend(),
                                 [lane](const Addressed& each) { return each.lane == lane; });
  LaneParcel* parcel = last == all_.rend() ? nullptr : last->parcel;
  if (parcel == nullptr || parcel->bytes + operation.body.size() > Lane::kMaxFrameBytes) {
    parcel = of_.Begin(round_);
    all_.push_back({lane, parcel});
  }
  parcel->Add(operation);
  return {parcel, parcel->operations.size() - 1};
}

void Parcels::Send() {
  for (const Addressed& each : all_) here_.Forward(each.lane, of_.Share(each.parcel));
}

}  // namespace ferrite
