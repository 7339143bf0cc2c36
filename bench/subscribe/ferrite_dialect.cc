#include <optional>
#include <stdexcept>

#include "bench/subscribe/dialect.h"
#include "bench/subscribe/http2_calls.h"
#include "ferrite/v1/cache.pb.h"
#include "proto/wire/event_codec.h"
#include "proto/wire/field_reader.h"
#include "proto/wire/frame_operation.h"
#include "proto/wire/frame_result.h"

namespace ferrite::bench {
namespace {

using FerriteReceiver = ::ferrite::bench::Receiver;

std::string PathOf(FerriteCall call) {
  const std::string service = "/ferrite.v1.CacheService/";
  switch (call) {
    case FerriteCall::kSubscribe:
      return service + "Subscribe";
    case FerriteCall::kPublish:
      return service + "Publish";
    case FerriteCall::kPipeline:
      return service + "Pipeline";
  }
  return service;
}

FrameOperation PublishOf(std::string_view channel, std::string_view payload) {
  return {.kind = FrameOperation::Kind::kPublish, .key = channel, .value = payload};
}

std::string PublishRequest(std::string_view channel, std::string_view payload) {
  const FrameOperation operation = PublishOf(channel, payload);
  std::string request(RequestSize(operation), '\0');
  FieldWriter writer(request.data());
  WriteRequest(operation, &writer);
  return request;
}

std::string FrameOf(std::string_view channel, std::span<const std::string> payloads) {
  size_t size = 0;
  for (const std::string& payload : payloads) {
    size += OperationInFrameSize(PublishOf(channel, payload));
  }
  std::string frame(size, '\0');
  FieldWriter writer(frame.data());
  for (const std::string& payload : payloads) {
    WriteOperationInFrame(PublishOf(channel, payload), &writer);
  }
  return frame;
}

class FerriteDialect final : public Dialect, private Http2Calls::Receiver {
 public:
  FerriteDialect(FerriteCall call, bool reads) : call_(call), calls_(PathOf(call), reads) {}

  void Open(std::string* out) override { calls_.Open(out); }

  void Subscribe(const Topic& topic, std::string* out) override {
    v1::SubscribeRequest request;
    if (topic.channel.empty()) {
      request.add_key_prefixes(topic.key_prefix);
    } else {
      request.add_channels(topic.channel);
    }
    request.set_with_values(topic.with_values);
    calls_.Send(calls_.Begin(out), request.SerializeAsString(), /*last=*/true, out);
  }

  void Publish(std::string_view channel, std::span<const std::string> payloads,
               std::string* out) override {
    if (call_ == FerriteCall::kPipeline) {
      if (!pipeline_.has_value()) pipeline_ = calls_.Begin(out);
      calls_.Send(*pipeline_, FrameOf(channel, payloads), /*last=*/false, out);
      return;
    }
    for (const std::string& payload : payloads) {
      calls_.Send(calls_.Begin(out), PublishRequest(channel, payload), /*last=*/true, out);
    }
  }

  size_t Take(std::string_view bytes, FerriteReceiver* receiver, std::string* out) override {
    receiver_ = receiver;
    return calls_.Take(bytes, this, out);
  }

 private:
  void OnMessage(size_t call, std::string_view message) override {
    if (call_ == FerriteCall::kSubscribe) return TakeEvents(call, message);
    if (call_ == FerriteCall::kPublish) return;  // counted at its end
    uint64_t published = 0;
    FrameResultReader results(message);
    while (const std::optional<FrameResult> result = results.Next()) {
      if (result->field != v1::OperationResult::kPublishFieldNumber) {
        throw std::runtime_error("a publish of a frame failed");
      }
      ++published;
    }
    receiver_->OnPublished(published);
  }

  void OnEnd(size_t, uint64_t messages) override {
    if (call_ != FerriteCall::kPublish || messages != 1) {
      throw std::runtime_error("the server ended a call");
    }
    receiver_->OnPublished(1);
  }

  void TakeEvents(size_t stream, std::string_view response) {
    for (FieldReader field(response); field.Next();) {
      if (!field.Is(v1::SubscribeResponse::kEventsFieldNumber)) continue;
      const std::optional<EventFields> event = ReadEvent(field.bytes());
      if (event.has_value()) TakeEvent(stream, *event);
    }
  }

  void TakeEvent(size_t stream, const EventFields& fields) {
    using Event = v1::SubscriptionEvent;
    switch (fields.event_field) {
      case Event::kMessageFieldNumber:
        if (const auto message = ReadChannelMessage(fields.event)) {
          receiver_->OnMessage(stream, message->payload);
        }
        return;
      case Event::kKeyEventFieldNumber:
        return receiver_->OnMessage(stream, {});
      case Event::kAcknowledgementFieldNumber:
        return receiver_->OnSubscribed();
      case Event::kDiscontinuityFieldNumber:
        return receiver_->OnGap();
      default:
        return;
    }
  }

  const FerriteCall call_;
  Http2Calls calls_;
  std::optional<size_t> pipeline_;
  FerriteReceiver* receiver_ = nullptr;  // during Take
};

}  // namespace

std::unique_ptr<Dialect> MakeFerriteDialect(FerriteCall call, bool reads) {
  return std::make_unique<FerriteDialect>(call, reads);
}

}  // namespace ferrite::bench
