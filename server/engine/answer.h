#pragma once

// An answer that is not there at once: the part of a call that waits, takes long, or goes on.

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "server/call/reply_writer.h"

namespace ferrite {

// How a call ends.
struct CallEnd {
  absl::Status status;
  std::vector<std::pair<std::string, std::string>> trailers;  // metadata, names in lower case
};

// Made by a handler, used on the call's thread, and destroyed as soon as the call is over: when it
// has said kEnd, and also when the client is gone, the deadline has passed, or the server stops.
class Answer {
 public:
  enum class Next {
    kMessage,     // what was written is to be sent, and this to be asked again then; of kStream and
                  // kFeed
    kYield,       // ask again once other calls had their turn
    kWait,        // ask again when the call's Waker was used; a call that waits costs no thread
    kWaitBeside,  // the same; of a stream of frames, the next one may be taken up meanwhile
    kEnd,         // the call ends as `end` says; if that is OK and it is no stream, with what was
                  // written. Of a stream of frames, this frame's part is over and not the call
  };

  virtual ~Answer() = default;

  // The next step: a short one, of a fifth of a millisecond or so, as other calls wait for the
  // thread meanwhile. `message` is empty. Never called while a message is on its way; may be called
  // without the Waker having been used.
  virtual Next Advance(ReplyWriter* message, CallEnd* end) = 0;
  // The message is out.
  virtual void Sent() {}
  // Of a feed that ends as the server does: writes what its client has to know first, and whether
  // there was anything; asked again when that is out.
  virtual bool WriteLastWord(ReplyWriter* message) {
    (void)message;
    return false;
  }
};

}  // namespace ferrite
