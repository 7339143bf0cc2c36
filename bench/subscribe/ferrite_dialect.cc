#include <optional>
#include <stdexcept>

#include "bench/subscribe/dialect.h"
#include "bench/subscribe/http2_calls.h"
#include "ferrite/v1/cache.pb.h"
#include "proto/wire/field_reader.h"

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

void AppendField(int number, std::string_view bytes, std::string* out) {
  constexpr int kBytes = 2;
  constexpr size_t kMore = 0x80;
  out->push_back(static_cast<char>(number << 3 | kBytes));
  size_t size = bytes.size();
  for (; size >= kMore; size >>= 7) out->push_back(static_cast<char>(size | kMore));
  out->push_back(static_cast<char>(size));
  out->append(bytes);
}

std::string PublishRequest(std::string_view channel, std::string_view payload) {
  std::string request;
  AppendField(v1::PublishRequest::kChannelFieldNumber, channel, &request);
  AppendField(v1::PublishRequest::kPayloadFieldNumber, payload, &request);
  return request;
}

std::string FrameOf(std::string_view channel, std::span<const std::string> payloads) {
  std::string frame;
  std::string operation;
  for (const std::string& payload : payloads) {
    operation.clear();
    AppendField(v1::Operation::kPublishFieldNumber, PublishRequest(channel, payload), &operation);
    AppendField(v1::PipelineRequest::kOperationsFieldNumber, operation, &frame);
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
    for (FieldReader result(message); result.Next(); ++published) {
      FieldReader outcome(result.bytes());
      if (!outcome.Next() || !outcome.Is(v1::OperationResult::kPublishFieldNumber)) {
        throw std::runtime_error("a publish of a frame failed");
      }
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
    for (FieldReader event(response); event.Next();) {
      for (FieldReader field(event.bytes()); field.Next();) TakeField(stream, field);
    }
  }

  void TakeField(size_t stream, const FieldReader& field) {
    using Event = v1::SubscriptionEvent;
    if (field.Is(Event::kMessageFieldNumber)) {
      std::string_view payload;
      for (FieldReader part(field.bytes()); part.Next();) {
        if (part.Is(v1::ChannelMessage::kPayloadFieldNumber)) payload = part.bytes();
      }
      receiver_->OnMessage(stream, payload);
    } else if (field.Is(Event::kKeyEventFieldNumber)) {
      receiver_->OnMessage(stream, {});
    } else if (field.Is(Event::kAcknowledgementFieldNumber)) {
      receiver_->OnSubscribed();
    } else if (field.Is(Event::kDiscontinuityFieldNumber)) {
      receiver_->OnGap();
    }
  }

  const FerriteCall call_;
  Http2Calls calls_;
  std::optional<size_t> pipeline_;
  FerriteReceiver* receiver_ = nullptr;  // while it takes
};

}  // namespace

std::unique_ptr<Dialect> MakeFerriteDialect(FerriteCall call, bool reads) {
  return std::make_unique<FerriteDialect>(call, reads);
}

}  // namespace ferrite::bench
