#pragma once

// The calls of CacheService that are served straight from and to bytes of the wire: those of which
// there are most (Pipeline, MGet), and those whose replies may be large (Get). cache.proto is their
// contract like that of all others.

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <span>

#include "server/events/event_hub.h"
#include "server/handlers/cache_handlers.h"
#include "server/wire/operation.h"
#include "server/wire/reply_writer.h"
#include "server/wire/response_writer.h"
#include "store/store.h"

namespace ferrite {

// Thread-safe; called on threads that have counters (CounterRegistry::AttachThread).
class WireHandlers {
 public:
  // All must outlive the handlers.
  WireHandlers(Store* store, EventHub* events, CacheHandlers* cache)
      : store_(*store), events_(*events), cache_(*cache) {}

  grpc::Status Get(const grpc::ByteBuffer& request, grpc::ByteBuffer* response);
  grpc::Status MGet(const grpc::ByteBuffer& request, grpc::ByteBuffer* response);
  // Executes one frame. An error ends the stream; nothing was executed then.
  grpc::Status Pipeline(const grpc::ByteBuffer& frame, grpc::ByteBuffer* reply);

 private:
  // Execute operations that go to the store together, and append their outcomes.
  void Execute(std::span<const FrameOperation> operations, ReplyWriter* reply);
  void Reads(std::span<const FrameOperation> operations, ReplyWriter* reply);
  void Writes(std::span<const FrameOperation> operations, ReplyWriter* reply);
  void Messages(std::span<const FrameOperation> operations, ReplyWriter* reply);
  void Publish(const FrameOperation& operation, ReplyWriter* reply);
  // One after the other.
  void Mixed(std::span<const FrameOperation> operations, ReplyWriter* reply);
  void ExecuteOne(const FrameOperation& operation, ReplyWriter* reply);
  // For which a message has to be made.
  void ExecuteOther(const FrameOperation& operation, ReplyWriter* reply);

  Store& store_;
  EventHub& events_;
  CacheHandlers& cache_;
};

}  // namespace ferrite
