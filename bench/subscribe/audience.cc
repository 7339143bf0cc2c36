#include "bench/subscribe/audience.h"

#include <algorithm>
#include <cstdlib>

namespace ferrite::bench {

Audience::Audience(const LoadOptions& options, Poll* poll) : streams_(options.subscribers) {
  for (int left = streams_; left > 0; left -= options.streams) {
    const int streams = std::min(left, options.streams);
    seats_.push_back(std::make_unique<Seat>(this, options, streams, poll));
  }
}

uint64_t Audience::Missing(uint64_t published) const {
  uint64_t missing = 0;
  const uint64_t numbers = published * (published - 1) / 2;
  for (const auto& seat : seats_) {
    for (const Tally& tally : seat->tallies()) {
      if (tally.messages != published) {
        missing += std::max(published, tally.messages) - std::min(published, tally.messages);
      } else if (tally.numbers != numbers) {
        missing += 2;  // one came twice and another one not at all
      }
    }
  }
  return missing;
}

Audience::Seat::Seat(Audience* audience, const LoadOptions& options, int streams, Poll* poll)
    : audience_(*audience),
      tallies_(static_cast<size_t>(streams)),
      connection_(poll, options.port, options.MakeDialect(/*subscribes=*/true), this) {
  for (int i = 0; i < streams; ++i) connection_.Subscribe(options.topic);
}

void Audience::Seat::OnMessage(size_t stream, std::string_view payload) {
  ++audience_.received_;
  Tally& tally = tallies_[stream];
  ++tally.messages;
  if (payload.size() < sizeof(Stamp)) return;  // a key event
  const Stamp stamp = Stamp::In(payload);
  tally.numbers += stamp.number;
  audience_.latency_.Record(absl::Nanoseconds(arrival_.time_since_epoch().count() - stamp.sent));
}

}  // namespace ferrite::bench
