#pragma once

// Calls that this node makes itself: streams of messages to and from other nodes, on the threads
// that serve calls. A front, today gRPC's, implements them; nothing above knows which.
//
// All of it is used on one thread and tells its events there, never within a function that it is
// told something by. None of it may be destroyed before the thread has been closed and its events
// are through, but for a stream that has ended.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "server/call/method.h"
#include "server/call/reply_writer.h"
#include "server/call/request.h"

namespace ferrite {

class PeerStream {
 public:
  class Listener {
   public:
    // Messages may be sent and read.
    virtual void OnOpened() = 0;
    // The message is out.
    virtual void OnSent() = 0;
    // The message that was to be read. Keep it for as long as its bytes are needed.
    virtual void OnRead(std::shared_ptr<const Request> message) = 0;
    // It is over, for whatever reason. The last event, within which the stream may be destroyed.
    virtual void OnEnded(const absl::Status& status) = 0;

   protected:
    ~Listener() = default;
  };

  virtual ~PeerStream() = default;

  // Sends a message, which is taken out of the writer. One at a time. `last`: there will be none
  // after it.
  virtual void Send(ReplyWriter* message, bool last) = 0;
  // Reads the next message. One at a time. Without it the end is not noticed.
  virtual void Read() = 0;
  // Ends it.
  virtual void Cancel() = 0;
};

// One connection to a peer, which is made when it is needed and again when it broke.
class PeerChannel {
 public:
  using Metadata = std::vector<std::pair<std::string, std::string>>;

  virtual ~PeerChannel() = default;

  // Opens a stream. It ends at once with UNAVAILABLE while the peer was not reached a moment ago.
  // The listener must outlive the stream.
  virtual std::unique_ptr<PeerStream> Open(Method method, const Metadata& metadata,
                                           PeerStream::Listener* listener) = 0;
};

// Makes the connections of one thread.
class PeerConnector {
 public:
  virtual ~PeerConnector() = default;
  // To an address such as "10.0.0.1:6380".
  virtual std::unique_ptr<PeerChannel> Connect(const std::string& address) = 0;
};

}  // namespace ferrite
