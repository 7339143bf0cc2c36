#include "server/handlers/read_result.h"

#include "proto/wire/get_response.h"

namespace ferrite {
namespace {

GetResponseFields FieldsOf(const ReadResult& result) {
  return {.found = result.found,
          .value = result.value.view(),
          .version = result.version,
          .ttl_ms = result.ttl_ms,
          .not_modified = result.not_modified};
}

}  // namespace

size_t ReadBytes(const Nesting& nesting, const ReadResult& result) {
  return GetResponseSize(nesting, FieldsOf(result));
}

void WriteRead(const Nesting& nesting, const ReadResult& result, ReplyWriter* reply) {
  WriteGetResponse(
      nesting, FieldsOf(result), kMinSharedBytes, [&] { reply->AppendValue(result.value); }, reply);
}

}  // namespace ferrite
