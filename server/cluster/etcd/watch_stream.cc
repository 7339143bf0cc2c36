#include "server/cluster/etcd/watch_stream.h"

#include <algorithm>

namespace ferrite::cluster {
namespace {

constexpr int kFirstPauseMs = 100;
constexpr int kLongestPauseMs = 3'200;

}  // namespace

WatchStream::WatchStream(std::shared_ptr<WatchTerms> terms)
    : terms_(std::move(terms)), member_(terms_->parts.endpoints->current()) {
  // Ends the stream when the member loses its cluster; it would be silent otherwise.
  context_.AddMetadata("hasleader", "true");
  etcdserverpb::WatchCreateRequest* const create = request_.mutable_create_request();
  create->set_key(terms_->key);
  create->set_range_end(terms_->range_end);
  // From now on, so that no compaction can be in the way: what came before is listed anyway.
}

void WatchStream::Begin(std::shared_ptr<WatchTerms> terms) {
  const EtcdParts& parts = terms->parts;
  auto stream = std::make_unique<WatchStream>(std::move(terms));
  if (!parts.thread->Add(stream.get())) return;
  stream->stream_ = etcdserverpb::Watch::Stub(parts.endpoints->channel(stream->member_))
                        .PrepareAsyncWatch(&stream->context_, parts.thread->queue());
  WatchStream* const self = stream.release();
  self->stream_->StartCall(static_cast<EtcdTag*>(self));
}

void WatchStream::Proceed(bool ok) {
  EtcdTag* const tag = this;
  if (step_ == Step::kEnd) return End();
  if (ok && step_ == Step::kRead && !Take()) {
    ok = false;
    context_.TryCancel();
  }
  if (!ok) {
    step_ = Step::kEnd;
    return stream_->Finish(&status_, tag);
  }
  if (step_ == Step::kStart) {
    step_ = Step::kWrite;
    return stream_->Write(request_, tag);
  }
  step_ = Step::kRead;
  stream_->Read(&response_, tag);
}

bool WatchStream::Take() {
  if (response_.canceled() || response_.compact_revision() != 0) return false;
  if (response_.created()) {
    terms_->failures = 0;
    terms_->hint({});
  }
  for (const mvccpb::Event& event : response_.events()) terms_->hint(event);
  return true;
}

void WatchStream::End() {
  const std::unique_ptr<WatchStream> self(this);
  const EtcdParts& parts = terms_->parts;
  if (!parts.thread->closing()) {
    const bool connected = parts.endpoints->channel(member_)->GetState(false) == GRPC_CHANNEL_READY;
    parts.tally->CountFailure(
        EtcdOp::kWatch, connected ? JudgeFailure(status_).failure : EtcdFailure::kUnreachable);
    parts.endpoints->MoveOnFrom(member_);
    WatchPause::Begin(terms_);
  }
  parts.thread->Remove(this);
}

void WatchPause::Begin(std::shared_ptr<WatchTerms> terms) {
  const int pause_ms = std::min(kLongestPauseMs, kFirstPauseMs << std::min(terms->failures++, 10));
  const int jittered_ms =
      pause_ms / 2 + std::uniform_int_distribution<int>(0, pause_ms)(terms->random);
  const EtcdParts& parts = terms->parts;
  auto pause = std::make_unique<WatchPause>(std::move(terms));
  if (!parts.thread->Add(pause.get())) return;
  WatchPause* const self = pause.release();
  auto end = std::chrono::steady_clock::now();
  MutexLock lock(&self->mutex_);
  if (!self->cancelled_) end += std::chrono::milliseconds(jittered_ms);
  self->alarm_.Set(parts.thread->queue(), ToTimespec(end), static_cast<EtcdTag*>(self));
  self->set_ = true;
}

void WatchPause::Cancel() {
  MutexLock lock(&mutex_);
  cancelled_ = true;
  if (set_) alarm_.Cancel();
}

void WatchPause::Proceed(bool) {
  const std::unique_ptr<WatchPause> self(this);
  WatchStream::Begin(terms_);
  terms_->parts.thread->Remove(this);
}

}  // namespace ferrite::cluster
