#pragma once

// What came of a call to etcd.

#include <string>

namespace ferrite::cluster {

enum class EtcdOutcome {
  kAnswered,     // with a response
  kNotExecuted,  // certainly: it was not sent, or etcd refused it
  kUnknown,      // it may have been executed, or may still be
};

template <typename Response>
struct EtcdAnswer {
  EtcdOutcome outcome = EtcdOutcome::kUnknown;
  Response response;  // if it was answered
  std::string error;  // for people, unless it was answered
};

}  // namespace ferrite::cluster
