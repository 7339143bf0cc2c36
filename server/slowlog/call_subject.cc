#include "server/slowlog/call_subject.h"

#include "ferrite/v1/cache.pb.h"
#include "server/wire/wire_bytes.h"

namespace ferrite {
namespace {

// Bytes that cannot be parsed are about as much as can be read of them.
template <typename Request>
CallSubject Parsed(const grpc::ByteBuffer& buffer) {
  const WireBytes bytes(buffer);
  Request request;
  request.ParseFromArray(bytes.view().data(), static_cast<int>(bytes.view().size()));
  return SubjectOf(request);
}

}  // namespace

CallSubject SubjectOf(Method method, const grpc::ByteBuffer& request) {
  switch (method) {
    case Method::kGet:
      return Parsed<v1::GetRequest>(request);
    case Method::kMGet:
      return Parsed<v1::MGetRequest>(request);
    case Method::kPipeline:
      return Parsed<v1::PipelineRequest>(request);
    default:
      return {};
  }
}

}  // namespace ferrite
