#pragma once

// Verbs for tests of the contents of a near cache: time is a number, and the server's answers come
// when the test says so.

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/near_cache/near_entries.h"
#include "client/near_cache/near_events.h"

namespace ferrite {

constexpr int64_t kMs = 1'000'000;

inline v1::GetResponse Found(const std::string& value, uint64_t version,
                             std::optional<int64_t> ttl_ms = std::nullopt) {
  v1::GetResponse response;
  response.set_found(true);
  response.set_value(value);
  response.set_version(version);
  if (ttl_ms.has_value()) response.set_ttl_ms(*ttl_ms);
  return response;
}
inline v1::GetResponse NotFound() { return {}; }

// A near cache that is subscribed and fresh, at time 0. max_staleness is 100 ms.
class NearCacheTest : public testing::Test {
 protected:
  // A read that was a miss, and its outcome.
  struct Read {
    std::shared_ptr<Fill> call;                        // null: joined another call
    std::optional<absl::StatusOr<NearEntry>> outcome;  // absent: still waiting

    std::string value() const { return std::string((*outcome)->value()); }
  };

  NearCacheTest() {
    Acknowledge(false);
    ProbeFrom(0);
  }

  // The value of a hit at `now`; absent: no hit.
  std::optional<std::string> Hit(const std::string& key, int64_t now = 0) {
    const NearEntry entry = entries_.Find(key, now);
    return entry.found() ? std::optional(std::string(entry.value())) : std::nullopt;
  }

  std::shared_ptr<Read> Miss(const std::string& key, int64_t now = 0) {
    auto read = std::make_shared<Read>();
    read->call = entries_.JoinOrBegin(
        key, now, [waiting = std::weak_ptr(read)](const absl::StatusOr<NearEntry>& outcome) {
          if (const auto told = waiting.lock()) told->outcome = outcome;
        });
    return read;
  }
  void Answer(const std::shared_ptr<Read>& read, const absl::StatusOr<v1::GetResponse>& reply) {
    entries_.End(*read->call, reply);
  }
  void Fill(const std::string& key, const v1::GetResponse& reply, int64_t now = 0) {
    Answer(Miss(key, now), reply);
  }

  void Tell(v1::KeyEventKind kind, const std::string& key, uint64_t version) {
    v1::SubscriptionEvent event;
    event.mutable_key_event()->set_kind(kind);
    event.mutable_key_event()->set_key(key);
    event.mutable_key_event()->set_version(version);
    events_.Take(event);
  }
  void Acknowledge(bool resumed) {
    v1::SubscriptionEvent event;
    event.mutable_acknowledgement()->set_resumed(resumed);
    events_.Take(event);
  }
  void Interrupt() {
    v1::SubscriptionEvent event;
    event.mutable_discontinuity();
    events_.Take(event);
  }
  // The probe that was sent at `sent` comes back.
  void ProbeFrom(int64_t sent, const std::string& channel = "probes") {
    v1::SubscriptionEvent event;
    event.mutable_message()->set_channel(channel);
    event.mutable_message()->set_payload(sent_probes_.Make(sent));
    events_.Take(event);
  }

  NearEntries entries_{size_t{4} << 20, absl::Milliseconds(100)};
  int probes_wanted_ = 0;
  SentProbes sent_probes_;
  NearEvents events_{&entries_, "probes", &sent_probes_, [this] { ++probes_wanted_; }};
};

}  // namespace ferrite
