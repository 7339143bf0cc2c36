#include "server/events/subscription_request.h"

#include <algorithm>
#include <string>
#include <utility>

#include "server/call/limits.h"
#include "server/call/status.h"
#include "server/events/composite_token.h"
#include "store/operation.h"

namespace ferrite {
namespace {

constexpr int64_t kMinHeartbeatMs = 100;
constexpr int64_t kMaxHeartbeatMs = 3'600'000;
constexpr int64_t kDefaultHeartbeatMs = 10'000;
constexpr size_t kMaxProbeChannelBytes = 256;

absl::Status CheckTopicCount(size_t topics) {
  if (topics == 0) {
    return InvalidArgument(v1::SUBSCRIPTION_EMPTY,
                           "the subscription follows nothing; it takes 1 to 1024 channels, "
                           "channel_globs, keys and key_prefixes together");
  }
  if (topics > kMaxTopics) {
    return InvalidArgument(
        v1::SUBSCRIPTION_TOO_LARGE,
        "the subscription follows " + std::to_string(topics) +
            " channels, channel_globs, keys and key_prefixes; the limit is 1024 together",
        {{"limit", std::to_string(kMaxTopics)}, {"size", std::to_string(topics)}});
  }
  return absl::OkStatus();
}

absl::Status AddChannel(const std::string& channel, std::vector<TopicRef>* topics) {
  if (absl::Status status = CheckChannel(channel); !status.ok()) return status;
  Topic topic;
  topic.name = channel;
  topics->push_back(std::make_shared<const Topic>(std::move(topic)));
  return absl::OkStatus();
}

absl::Status AddGlob(const std::string& text, std::vector<TopicRef>* topics) {
  if (text.empty()) {
    return InvalidArgument(v1::CHANNEL_EMPTY, "a glob is empty; a glob has 1 to 256 bytes");
  }
  if (text.size() > Glob::kMaxBytes) {
    return InvalidArgument(
        v1::CHANNEL_TOO_LARGE,
        "a glob has " + std::to_string(text.size()) + " bytes; the limit is 256",
        {{"limit", std::to_string(Glob::kMaxBytes)}, {"size", std::to_string(text.size())}});
  }
  std::optional<Glob> glob = Glob::Parse(text);
  if (!glob.has_value()) {
    return InvalidArgument(
        v1::GLOB_INVALID,
        "a glob has a class [...] that is empty, does not end or runs backwards, or ends with \\");
  }
  Topic topic;
  topic.name = glob->literal_prefix();
  topic.exact = glob->IsLiteral();
  if (!topic.exact) {
    topic.glob_text = text;
    topic.glob = *std::move(glob);
  }
  topics->push_back(std::make_shared<const Topic>(std::move(topic)));
  return absl::OkStatus();
}

absl::Status AddKey(const std::string& key, bool exact, const SubscriptionRequest& request,
                    EventKinds kinds, std::vector<TopicRef>* topics) {
  if (exact || !key.empty()) {
    if (absl::Status status = CheckKey(key); !status.ok()) return status;
  }
  Topic topic;
  topic.kind = TopicKind::kKey;
  topic.exact = exact;
  topic.name = key;
  topic.kinds = kinds;
  topic.with_value = request.with_values;
  topics->push_back(std::make_shared<const Topic>(std::move(topic)));
  return absl::OkStatus();
}

absl::Status FieldOutOfRange(const std::string& text) {
  return InvalidArgument(v1::FIELD_OUT_OF_RANGE, text);
}

absl::Status ParseKinds(const v1::SubscribeRequest& wire, EventKinds* kinds) {
  *kinds = wire.key_event_kinds().empty() ? kAllEventKinds : 0;
  for (const int kind : wire.key_event_kinds()) {
    switch (kind) {
      case v1::KEY_EVENT_KIND_SET:
        *kinds |= KindBit(EventKind::kSet);
        break;
      case v1::KEY_EVENT_KIND_DELETE:
        *kinds |= KindBit(EventKind::kDelete);
        break;
      case v1::KEY_EVENT_KIND_INCR:
        *kinds |= KindBit(EventKind::kIncr);
        break;
      case v1::KEY_EVENT_KIND_EXPIRE:
        *kinds |= KindBit(EventKind::kExpire);
        break;
      case v1::KEY_EVENT_KIND_EVICT:
        *kinds |= KindBit(EventKind::kEvict);
        break;
      default:
        return UnknownValue("key_event_kinds", kind, *v1::KeyEventKind_descriptor(),
                            /*with_zero=*/false);
    }
  }
  return absl::OkStatus();
}

// The channel itself is one of those that are followed; on one node all come in one order.
absl::Status CheckProbeChannel(const v1::SubscribeRequest& wire) {
  const std::string& probes = wire.probe_channel();
  if (probes.size() > kMaxProbeChannelBytes) {
    return FieldOutOfRange("probe_channel has " + std::to_string(probes.size()) +
                           " bytes; the limit is 256");
  }
  const auto& channels = wire.channels();
  if (probes.empty() || std::find(channels.begin(), channels.end(), probes) != channels.end()) {
    return absl::OkStatus();
  }
  return FieldOutOfRange("probe_channel must be one of channels");
}

absl::Status ParseTerms(const v1::SubscribeRequest& wire, const QueueLimits& most,
                        SubscriptionRequest* request) {
  if (!v1::SlowConsumerPolicy_IsValid(wire.slow_consumer_policy())) {
    return UnknownValue("slow_consumer_policy", wire.slow_consumer_policy(),
                        *v1::SlowConsumerPolicy_descriptor());
  }
  if (wire.slow_consumer_policy() != v1::SLOW_CONSUMER_POLICY_UNSPECIFIED) {
    request->policy = wire.slow_consumer_policy();
  }
  if ((wire.has_max_queue_events() && wire.max_queue_events() == 0) ||
      (wire.has_max_queue_bytes() && wire.max_queue_bytes() == 0)) {
    return FieldOutOfRange("max_queue_events and max_queue_bytes must be at least 1");
  }
  request->queue = most;
  if (wire.has_max_queue_events()) {
    request->queue.events = std::min<uint64_t>(wire.max_queue_events(), most.events);
  }
  if (wire.has_max_queue_bytes()) {
    request->queue.bytes = std::min<uint64_t>(wire.max_queue_bytes(), most.bytes);
  }
  const int64_t heartbeat_ms = wire.has_heartbeat_ms() ? wire.heartbeat_ms() : kDefaultHeartbeatMs;
  if (heartbeat_ms < kMinHeartbeatMs || heartbeat_ms > kMaxHeartbeatMs) {
    return FieldOutOfRange("heartbeat_ms is " + std::to_string(heartbeat_ms) +
                           "; it must be from 100 to 3600000");
  }
  request->heartbeat = std::chrono::milliseconds(heartbeat_ms);
  if (absl::Status status = CheckProbeChannel(wire); !status.ok()) return status;
  if (!wire.resume_token().empty()) {
    request->resume = PlacesIn(wire.resume_token());
    if (!request->resume.has_value()) {
      return InvalidArgument(v1::RESUME_TOKEN_INVALID, "resume_token is none that a server gave");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckChannel(std::string_view channel) {
  if (channel.empty()) {
    return InvalidArgument(v1::CHANNEL_EMPTY,
                           "the channel is empty; a channel has 1 to 4096 bytes");
  }
  if (channel.size() > kMaxKeyBytes) {
    return InvalidArgument(
        v1::CHANNEL_TOO_LARGE,
        "the channel has " + std::to_string(channel.size()) + " bytes; the limit is 4096",
        {{"limit", std::to_string(kMaxKeyBytes)}, {"size", std::to_string(channel.size())}});
  }
  return absl::OkStatus();
}

absl::Status ParseSubscription(const v1::SubscribeRequest& wire, const QueueLimits& most,
                               SubscriptionRequest* request) {
  const int topics = wire.channels_size() + wire.channel_globs_size() + wire.keys_size() +
                     wire.key_prefixes_size();
  if (absl::Status status = CheckTopicCount(static_cast<size_t>(topics)); !status.ok())
    return status;
  if (absl::Status status = ParseTerms(wire, most, request); !status.ok()) return status;
  EventKinds kinds;
  if (absl::Status status = ParseKinds(wire, &kinds); !status.ok()) return status;
  request->with_values = wire.with_values();
  absl::Status status;
  const auto each = [&status](const auto& names, const auto& add) {
    for (auto name = names.begin(); status.ok() && name != names.end(); ++name) status = add(*name);
  };
  std::vector<TopicRef>* const into = &request->topics;
  each(wire.channels(), [&](const std::string& name) { return AddChannel(name, into); });
  each(wire.channel_globs(), [&](const std::string& text) { return AddGlob(text, into); });
  each(wire.keys(),
       [&](const std::string& key) { return AddKey(key, true, *request, kinds, into); });
  each(wire.key_prefixes(),
       [&](const std::string& key) { return AddKey(key, false, *request, kinds, into); });
  return status;
}

}  // namespace ferrite
