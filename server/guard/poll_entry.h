#pragma once

#include <sys/epoll.h>

namespace ferrite {

// A descriptor's place in a set of epoll. gRPC is told of a descriptor only when something new
// comes (EPOLLET), so whoever keeps it from reading what is there has to see to it that it is told
// again. Not thread-safe.
class PollEntry {
 public:
  void Set(int set, const epoll_event& event) {
    set_ = set;
    event_ = event;
  }
  bool known() const { return set_ >= 0; }
  // Whoever waits is told of what there is to read, now or at its next call. False if the
  // descriptor is in no set.
  bool Wake(int descriptor) {
    return known() && epoll_ctl(set_, EPOLL_CTL_MOD, descriptor, &event_) == 0;
  }

 private:
  int set_ = -1;
  epoll_event event_{};
};

}  // namespace ferrite
