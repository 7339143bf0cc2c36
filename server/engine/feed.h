#pragma once

// The messages of one stream that come when they come.

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <functional>
#include <memory>

namespace ferrite {

// Used only on the thread of the stream's queue.
class Feed {
 public:
  enum class Step {
    kMessage,  // `*message` is to be sent
    kNothing,  // there is nothing now; the feed calls `wake` when there is
    kEnd,      // the stream is to end with `*status`
  };

  virtual ~Feed() = default;

  // The next step. Is not called while a message is on its way. May add trailing metadata when the
  // stream is to end.
  virtual Step Next(grpc::ServerContext* context, grpc::ByteBuffer* message,
                    grpc::Status* status) = 0;
  // The message is out.
  virtual void Sent() = 0;
};

// Opens a stream: makes its feed, or refuses. `wake` may be called from then on, until the feed
// goes.
using FeedHandler = std::function<grpc::Status(
    const grpc::ByteBuffer& request, std::function<void()> wake, std::unique_ptr<Feed>* feed)>;

}  // namespace ferrite
