#include "server/cluster/node_record.h"

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/beginning.h"
#include "server/cluster/keys.h"

namespace ferrite::cluster {
namespace {

using internal::v1::ControllerRecord;
using internal::v1::NodeRecord;
using internal::v1::VersionCeiling;

// A name that anybody may have written, for people.
std::string Shown(std::string_view name) {
  const std::string_view shown = Beginning(name, kMaxNameBytes);
  return absl::StrCat(absl::CHexEscape(absl::string_view(shown.data(), shown.size())),
                      shown.size() < name.size() ? "..." : "");
}

absl::Status Broken(std::string_view what, std::string_view id, const std::string& why) {
  return absl::InvalidArgumentError(
      absl::StrFormat("the %s of node %s is broken: %s", std::string(what), Shown(id), why));
}

absl::Status CheckText(const char* what, const std::string& text, size_t limit) {
  if (text.size() > limit)
    return absl::InvalidArgumentError(
        absl::StrFormat("%s has %d bytes; it may have %d", what, text.size(), limit));
  for (const unsigned char letter : text) {
    if (letter <= ' ' || letter > '~')
      return absl::InvalidArgumentError(
          absl::StrFormat("%s \"%s\" has characters other than letters, digits and signs", what,
                          absl::CHexEscape(text)));
  }
  return absl::OkStatus();
}

bool Parse(std::string_view bytes, google::protobuf::Message* message) {
  return bytes.size() <= kMaxNodeRecordBytes &&
         message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

}  // namespace

absl::Status CheckNodeRecord(const NodeRecord& record) {
  if (absl::Status status = CheckName("the node's name", record.node_id()); !status.ok())
    return status;
  if (record.boot_id() == 0) return absl::InvalidArgumentError("it has no boot id");
  if (record.address().empty()) return absl::InvalidArgumentError("it has no address");
  if (record.released_version() > kMaxVersion)
    return absl::InvalidArgumentError("its versions are beyond the year 2200");
  for (const auto& [what, text, limit] :
       {std::tuple("the address", &record.address(), kMaxAddressBytes),
        std::tuple("the internal address", &record.internal_address(), kMaxAddressBytes),
        std::tuple("the zone", &record.zone(), kMaxZoneBytes),
        std::tuple("the version", &record.version(), kMaxZoneBytes)}) {
    if (absl::Status status = CheckText(what, *text, limit); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<NodeRecord> ParseNodeRecord(std::string_view id, std::string_view bytes) {
  NodeRecord record;
  if (!Parse(bytes, &record)) return Broken("record", id, "it is no message of at most 4 KiB");
  if (record.node_id() != id)
    return Broken("record", id, absl::StrFormat("it is of node \"%s\"", Shown(record.node_id())));
  if (absl::Status status = CheckNodeRecord(record); !status.ok())
    return Broken("record", id, std::string(status.message()));
  return record;
}

absl::StatusOr<VersionCeiling> ParseVersionCeiling(std::string_view id, std::string_view bytes) {
  VersionCeiling ceiling;
  if (!Parse(bytes, &ceiling)) return Broken("ceiling", id, "it is no message of at most 4 KiB");
  if (ceiling.ceiling() > kMaxVersion)
    return Broken("ceiling", id, "its versions are beyond the year 2200");
  if (ceiling.serving_ttl_ms() < kMinServingTtlMs || ceiling.serving_ttl_ms() > kMaxServingTtlMs)
    return Broken("ceiling", id,
                  absl::StrFormat("it says %d ms for the time it serves; there may be %d to %d",
                                  ceiling.serving_ttl_ms(), kMinServingTtlMs, kMaxServingTtlMs));
  return ceiling;
}

absl::StatusOr<ControllerRecord> ParseControllerRecord(std::string_view bytes) {
  ControllerRecord record;
  if (!Parse(bytes, &record) || !CheckName("", record.node_id()).ok() || record.boot_id() == 0)
    return absl::InvalidArgumentError("the record of the cluster's controller is broken");
  return record;
}

}  // namespace ferrite::cluster
