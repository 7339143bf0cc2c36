#include "server/access/token_request.h"

#include <algorithm>
#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/auth/disposable_token.h"
#include "server/call/status.h"

namespace ferrite {
namespace {

using policy::Role;
using policy::Verb;
using policy::Verbs;

absl::Status OutOfRange(const std::string& text) {
  return InvalidArgument(v1::FIELD_OUT_OF_RANGE, text);
}

absl::Status ReadTokenVerbs(const v1::IssueTokenRequest& request, Verbs* verbs) {
  for (const std::string& name : request.verbs()) {
    const std::optional<Verb> verb = policy::VerbNamed(name);
    if (!verb.has_value() || verb == Verb::kInvoke ||
        !(policy::kVerbsOfKeys | policy::kVerbsOfChannels).Have(*verb)) {
      return OutOfRange(
          "verbs of a token are read, write, delete, scan, publish and subscribe; admin, metrics "
          "and invoke cannot be handed on");
    }
    *verbs |= *verb;
  }
  return verbs->empty() ? OutOfRange("a token needs one of verbs at least") : absl::OkStatus();
}

absl::Status CheckTokenNames(const Role& may) {
  size_t names = 0;
  size_t bytes = 0;
  for (const auto* each : {&may.key_prefixes, &may.channels, &may.channel_prefixes}) {
    names += each->size();
    for (const std::string& name : *each) bytes += name.size();
  }
  if (names >= 1 && names <= kMostTokenNames && bytes <= kMostTokenNameBytes)
    return absl::OkStatus();
  return InvalidArgument(
      v1::FIELD_OUT_OF_RANGE,
      absl::StrCat("key_prefixes, channels and channel_prefixes of a token are 1 to ",
                   kMostTokenNames, " of ", kMostTokenNameBytes, " bytes together; these are ",
                   names, " of ", bytes),
      {{"limit", std::to_string(kMostTokenNameBytes)}, {"size", std::to_string(bytes)}});
}

// Refuses what could have no effect, as policies do.
absl::Status CheckTokenEffect(const Role& may) {
  const bool has_keys = !may.key_prefixes.empty();
  const bool has_channels = !may.channels.empty() || !may.channel_prefixes.empty();
  const Verbs on_keys = has_keys ? policy::kVerbsOfKeys : Verbs();
  const Verbs on_channels = has_channels ? policy::kVerbsOfChannels : Verbs();
  if (!(on_keys | on_channels).Have(may.verbs)) {
    return InvalidArgument(v1::CONTRADICTION,
                           "the token has verbs without a name for them: publish is on channels, "
                           "subscribe on channels or keys, all others on keys");
  }
  if ((has_keys && (may.verbs & on_keys).empty()) ||
      (has_channels && (may.verbs & on_channels).empty())) {
    return InvalidArgument(v1::CONTRADICTION, "the token has names without a verb for them");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadTokenRequest(const v1::IssueTokenRequest& request, Role* may) {
  using std::chrono::milliseconds;
  if (absl::Status status = ReadTokenVerbs(request, &may->verbs); !status.ok()) return status;
  may->key_prefixes = {request.key_prefixes().begin(), request.key_prefixes().end()};
  may->channels = {request.channels().begin(), request.channels().end()};
  may->channel_prefixes = {request.channel_prefixes().begin(), request.channel_prefixes().end()};
  if (std::find(may->channels.begin(), may->channels.end(), "") != may->channels.end()) {
    return InvalidArgument(v1::CHANNEL_EMPTY, "a channel is empty");
  }
  if (absl::Status status = CheckTokenNames(*may); !status.ok()) return status;
  if (absl::Status status = CheckTokenEffect(*may); !status.ok()) return status;
  if (request.ttl_ms() >= milliseconds(kLeastTokenTime).count() &&
      request.ttl_ms() <= milliseconds(kMostTokenTime).count()) {
    return absl::OkStatus();
  }
  return OutOfRange(
      absl::StrCat("ttl_ms is ", request.ttl_ms(), "; it must be from 1000 to 3600000, an hour"));
}

bool Covers(const policy::Rights& rights, const Role& may) {
  const Verbs on_keys = may.verbs & policy::kVerbsOfKeys;
  const Verbs on_channels = may.verbs & policy::kVerbsOfChannels;
  const auto all = [](const auto& names, const auto& allowed) {
    return std::all_of(names.begin(), names.end(), allowed);
  };
  return all(may.key_prefixes,
             [&](const std::string& name) { return rights.MayOnKeysWith(on_keys, name); }) &&
         all(may.channels,
             [&](const std::string& name) { return rights.MayOnChannel(on_channels, name); }) &&
         all(may.channel_prefixes,
             [&](const std::string& name) { return rights.MayOnChannelsWith(on_channels, name); });
}

}  // namespace ferrite
