#include "server/engine/grpc/grpc_caller.h"

#include <grpc/grpc_security.h>
#include <grpc/grpc_security_constants.h>

#include <cstdint>
#include <iterator>

#include "absl/strings/str_replace.h"

namespace ferrite {

Caller::Clock::time_point DeadlineOf(const grpc::ServerContext& context) {
  const gpr_timespec raw = context.raw_deadline();
  if (gpr_time_cmp(raw, gpr_inf_future(raw.clock_type)) == 0)
    return Caller::Clock::time_point::max();
  // That of the steady clock, which is what gRPC keeps it in.
  const gpr_timespec steady = gpr_convert_clock_type(raw, GPR_CLOCK_MONOTONIC);
  return Caller::Clock::time_point(std::chrono::seconds(steady.tv_sec) +
                                   std::chrono::nanoseconds(steady.tv_nsec));
}

std::string PeerOf(const grpc::ServerContext& context) {
  const std::string uri = context.peer();
  if (uri.starts_with("unix:")) return "unix";
  // gRPC writes the brackets of IPv6 as in a URI.
  return absl::StrReplaceAll(uri, {{"%5B", "["}, {"%5D", "]"}, {"%25", "%"}});
}

uint64_t ConnectionOf(grpc::ServerContext* context) {
  // Who the peer is was found out once for its connection, and is kept in one place for all of its
  // calls.
  grpc_auth_context* const peer = grpc_call_auth_context(context->c_call());
  const uint64_t number = reinterpret_cast<uintptr_t>(peer);
  grpc_auth_context_release(peer);
  return number;
}

CertificateNames CertificateNamesOf(grpc::ServerContext* context) {
  CertificateNames names;
  grpc_auth_context* const peer = grpc_call_auth_context(context->c_call());
  const auto collect = [peer](const char* property, std::vector<std::string_view>* values) {
    grpc_auth_property_iterator each = grpc_auth_context_find_properties_by_name(peer, property);
    while (const grpc_auth_property* const found = grpc_auth_property_iterator_next(&each))
      values->emplace_back(found->value, found->value_length);
  };
  // A peer that showed no certificate, as without TLS, has no identity.
  if (grpc_auth_context_peer_is_authenticated(peer) != 0) {
    collect(GRPC_PEER_URI_PROPERTY_NAME, &names.uris);
    collect(GRPC_PEER_DNS_PROPERTY_NAME, &names.dns);
  }
  grpc_auth_context_release(peer);  // the call has it, too
  return names;
}

std::optional<std::string_view> MetadataOf(const grpc::ServerContext& context,
                                           std::string_view name) {
  const auto& metadata = context.client_metadata();
  const auto [begin, end] = metadata.equal_range(grpc::string_ref(name.data(), name.size()));
  if (begin == end || std::next(begin) != end) return std::nullopt;
  return std::string_view(begin->second.data(), begin->second.size());
}

}  // namespace ferrite
