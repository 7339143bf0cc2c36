#include "server/routing/feed_source.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ferrite {
namespace {

class OwnSource final : public FeedSource {
 public:
  explicit OwnSource(std::unique_ptr<Answer> stream) : stream_(std::move(stream)) {}

  FeedMessage message() override {
    if (bytes_ == nullptr && !taken_ && !ended_) Ask();
    if (bytes_ == nullptr) return {};
    return {*bytes_, bytes_};
  }
  void Next() override {
    bytes_.reset();
    taken_ = true;
  }
  const CallEnd* end() override { return ended_ && bytes_ == nullptr ? &end_ : nullptr; }
  bool yields() const override { return yields_; }
  bool Sent() override {
    if (!std::exchange(taken_, false)) return false;
    stream_->Sent();
    return true;
  }

 private:
  void Ask() {
    const Answer::Next next = stream_->Advance(&writer_, &end_);
    yields_ = next == Answer::Next::kYield;
    ended_ = next == Answer::Next::kEnd;
    if (next != Answer::Next::kMessage) return writer_.Clear();
    auto bytes = std::make_shared<std::string>();
    bytes->reserve(writer_.size());
    for (const Piece& piece : writer_.Take()) {
      bytes->append(piece.data, piece.size);
      piece.release(piece.owner);
    }
    bytes_ = std::move(bytes);
  }

  const std::unique_ptr<Answer> stream_;
  ReplyWriter writer_;
  std::shared_ptr<const std::string> bytes_;
  bool taken_ = false;  // and not out
  bool yields_ = false;
  bool ended_ = false;
  CallEnd end_;
};

class PeerSource final : public FeedSource {
 public:
  PeerSource(RemoteStream* stream, Counter* open) : stream_(*stream), open_(*open) {
    ThreadCounters::Add(&open_, 1);
  }
  ~PeerSource() override {
    stream_.Abandon();
    ThreadCounters::Add(&open_, static_cast<uint64_t>(-1));
  }

  FeedMessage message() override {
    if (stream_.message() == nullptr) return {};
    return {stream_.message()->bytes(), stream_.message()};
  }
  void Next() override { stream_.Next(); }
  const CallEnd* end() override {
    if (stream_.message() != nullptr || !stream_.end().has_value()) return nullptr;
    end_.status = *stream_.end();
    return &end_;
  }

 private:
  RemoteStream& stream_;
  Counter& open_;
  CallEnd end_;
};

}  // namespace

absl::Status FollowHere(Dispatcher* dispatcher, const v1::SubscribeRequest& request,
                        const Waker& reader, std::unique_ptr<FeedSource>* source) {
  std::unique_ptr<Answer> stream;
  absl::Status status = dispatcher->Follow(request, reader, &stream);
  if (status.ok()) *source = std::make_unique<OwnSource>(std::move(stream));
  return status;
}

std::unique_ptr<FeedSource> FollowThere(ThreadRouting* here, const cluster::ViewNode& node,
                                        uint64_t mark, const v1::SubscribeRequest& request,
                                        const Waker& reader) {
  RemoteStream* const stream =
      here->OpenStream(node, Method::kSubscribe, request.SerializeAsString(), reader,
                       {{kMarkMetadata, absl::StrCat(mark)}});
  return std::make_unique<PeerSource>(stream, &here->tally()->feeds);
}

}  // namespace ferrite
