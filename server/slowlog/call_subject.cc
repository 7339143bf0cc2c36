#include "server/slowlog/call_subject.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "ferrite/v1/admin.pb.h"
#include "ferrite/v1/cache.pb.h"

namespace ferrite {
namespace {

std::vector<TraceParent> TracesOf(const v1::PipelineRequest& frame) {
  std::vector<TraceParent> traces;
  for (const v1::Operation& operation : frame.operations()) {
    if (traces.size() == kSubjectTraces) break;
    std::optional<TraceParent> trace = ParseTraceParent(operation.traceparent());
    if (trace.has_value() && std::find(traces.begin(), traces.end(), *trace) == traces.end()) {
      traces.push_back(*std::move(trace));
    }
  }
  return traces;
}

// Whatever the message's type: by the fields that it has.
template <typename Message>
CallSubject SubjectOf(const Message& request) {
  if constexpr (requires { request.key(); }) {
    return {request.key().substr(0, kSubjectKeyBytes), 1};
  } else if constexpr (requires { request.prefix(); }) {
    return {request.prefix().substr(0, kSubjectKeyBytes), 0};
  } else if constexpr (requires { request.keys_size(); }) {
    return {"", static_cast<uint32_t>(request.keys_size())};
  } else if constexpr (requires { request.entries_size(); }) {
    return {"", static_cast<uint32_t>(request.entries_size())};
  } else if constexpr (requires { request.operations_size(); }) {
    return {"", static_cast<uint32_t>(request.operations_size()), TracesOf(request)};
  } else {
    return {};
  }
}

// Bytes that cannot be parsed are about as much as can be read of them.
template <typename Message>
CallSubject Parsed(const Request& bytes) {
  Message request;
  bytes.ParseInto(&request);
  return SubjectOf(request);
}

// To parse more would hold up the thread for longer than the call itself did.
constexpr size_t kMostParsedBytes = size_t{256} << 10;
constexpr size_t kBeginningBytes = size_t{8} << 10;

// The beginning has the key, if there is one; how many keys there are it cannot tell.
CallSubject SubjectOfBeginning(Method method, const Request& request) {
  std::string beginning(kBeginningBytes, '\0');
  request.CopyOut(0, beginning.size(), beginning.data());
  CallSubject subject = SubjectOf(method, Request(std::string_view(beginning)));
  if (subject.key.empty()) subject.keys = 0;
  return subject;
}

}  // namespace

CallSubject SubjectOf(Method method, const Request& request) {
  if (request.size() > kMostParsedBytes) return SubjectOfBeginning(method, request);
  switch (method) {
    case Method::kGet:
      return Parsed<v1::GetRequest>(request);
    case Method::kSet:
      return Parsed<v1::SetRequest>(request);
    case Method::kDelete:
      return Parsed<v1::DeleteRequest>(request);
    case Method::kTouch:
      return Parsed<v1::TouchRequest>(request);
    case Method::kExists:
      return Parsed<v1::ExistsRequest>(request);
    case Method::kIncr:
      return Parsed<v1::IncrRequest>(request);
    case Method::kMGet:
      return Parsed<v1::MGetRequest>(request);
    case Method::kMSet:
      return Parsed<v1::MSetRequest>(request);
    case Method::kMDelete:
      return Parsed<v1::MDeleteRequest>(request);
    case Method::kPipeline:
      return Parsed<v1::PipelineRequest>(request);
    case Method::kScan:
      return Parsed<v1::ScanRequest>(request);
    default:
      return {};
  }
}

}  // namespace ferrite
