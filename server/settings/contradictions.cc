#include "server/settings/contradictions.h"

#include <algorithm>
#include <bit>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/byte_amount.h"
#include "server/settings/memory_plan.h"
#include "store/store_options.h"

namespace ferrite {
namespace {

constexpr uint64_t kKeysAndFramingBytes = uint64_t{16} << 10;

bool Meet(const Address& a, const Address& b) {
  if (a.kind != b.kind) return false;
  if (a.kind != Address::Kind::kTcp) return a.host == b.host;
  return a.port != 0 && a.port == b.port &&
         (a.host == b.host || a.IsEveryOfAFamily() || b.IsEveryOfAFamily());
}

// "max-memory (16MiB)", as whoever set it spelled the name.
std::string Named(const FlagReader& reader, std::string_view name, uint64_t bytes) {
  return absl::StrCat(reader.Spelled(name), " (", RenderBytes(bytes), ")");
}

void CheckValues(FlagReader* reader, const Settings& settings) {
  const uint64_t value = settings.max_value_bytes;
  const bool limited = settings.max_memory_bytes != 0;
  const uint64_t room = limited ? settings.max_memory_bytes : settings.machine.memory_bytes.amount;
  // An overwritten value stays until the new one is there.
  if (limited && reader->Culprit("max-value-bytes", "max-memory") == "max-memory") {
    reader->Require(value <= room / 2, "max-memory",
                    absl::StrCat(RenderBytes(room), " are less than twice ",
                                 Named(*reader, "max-value-bytes", value),
                                 ", so such a value could not be replaced"));
  }
  reader->Require(value <= room / 2, "max-value-bytes",
                  absl::StrCat(RenderBytes(value), " are more than half of ",
                               limited ? Named(*reader, "max-memory", room)
                                       : "the " + RenderBytes(room) + " that there are",
                               ", so such a value could not be replaced"));
  const uint64_t call = LargestCallBytes(value);
  reader->Require(
      settings.max_inflight_bytes >= call, "max-inflight-bytes",
      absl::StrCat(RenderBytes(settings.max_inflight_bytes), " have no room for the ",
                   RenderBytes(call), " of a call that replaces and returns a value of ",
                   Named(*reader, "max-value-bytes", value)));
}

void CheckShards(FlagReader* reader, const Settings& settings) {
  if (settings.shards == 0 || settings.max_memory_bytes == 0) return;
  const uint64_t needed = std::bit_ceil(settings.shards) * kMinShardBytes;
  if (reader->Culprit("shards", "max-memory") == "max-memory") {
    reader->Require(needed <= settings.max_memory_bytes, "max-memory",
                    absl::StrCat(RenderBytes(settings.max_memory_bytes), " are too few for ",
                                 reader->Spelled("shards"), " (", settings.shards, "), which need ",
                                 RenderBytes(needed)));
  }
  reader->Require(
      needed <= settings.max_memory_bytes, "shards",
      absl::StrCat(settings.shards, " shards need ", RenderBytes(needed), ", more than ",
                   Named(*reader, "max-memory", settings.max_memory_bytes)));
}

void CheckEvents(FlagReader* reader, Settings* settings) {
  const EventLimits& events = settings->events;
  reader->Require(
      events.queue.bytes <= events.subscriber_bytes, "subscriber-queue-bytes",
      absl::StrCat(RenderBytes(events.queue.bytes), " for one subscription are above ",
                   Named(*reader, "subscriber-total-bytes", events.subscriber_bytes), " for all"));
  for (const auto& [name, bytes] : {std::pair{"history-bytes", events.history.bytes},
                                    std::pair{"subscriber-total-bytes", events.subscriber_bytes}}) {
    if (!reader->IsSet(name) || bytes >= settings->max_value_bytes) continue;
    settings->warnings.push_back(
        absl::StrCat(Named(*reader, name, bytes), " have no room for an event of ",
                     Named(*reader, "max-value-bytes", settings->max_value_bytes),
                     ": subscriptions will meet gaps"));
  }
}

void CheckRepetitions(FlagReader* reader, const char* flag, const std::vector<Address>& addresses) {
  for (auto one = addresses.begin(); one != addresses.end(); ++one) {
    const auto other = std::find_if(addresses.begin(), one, [&](const Address& earlier) {
      return Meet(*one, earlier) && one->host == earlier.host;
    });
    reader->Require(other == one, flag, absl::StrCat(one->ToString(), " is there twice"));
  }
}

void CheckAddresses(FlagReader* reader, const Settings& settings) {
  CheckRepetitions(reader, "listen", settings.listen);
  CheckRepetitions(reader, "http-listen", settings.http_listen);
  for (const Address& grpc : settings.listen) {
    for (const Address& http : settings.http_listen) {
      const bool grpc_is_wrong = reader->Culprit("http-listen", "listen") == "listen";
      const auto& [wrong, other] = grpc_is_wrong ? std::tie(grpc, http) : std::tie(http, grpc);
      reader->Require(!Meet(grpc, http), grpc_is_wrong ? "listen" : "http-listen",
                      absl::StrCat(wrong.ToString(), " is taken by ",
                                   reader->Spelled(grpc_is_wrong ? "http-listen" : "listen"), " (",
                                   other.ToString(), "); give each one of its own"));
    }
  }
}

// None of the addresses of `flag` may be one of another.
void CheckApart(FlagReader* reader, const char* flag, const std::vector<Address>& addresses,
                const char* other_flag, const std::vector<Address>& others) {
  for (const Address& address : addresses) {
    for (const Address& other : others)
      reader->Require(!Meet(address, other), flag,
                      absl::StrCat(address.ToString(), " is taken by ", reader->Spelled(other_flag),
                                   " (", other.ToString(), "); give each one of its own"));
  }
}

void CheckAddressesApart(FlagReader* reader, const Settings& settings) {
  CheckRepetitions(reader, "admin-listen", settings.admin_listen);
  std::vector<Address> internal;
  if (settings.cluster.internal_listen.has_value())
    internal.push_back(*settings.cluster.internal_listen);
  for (const auto& [flag, addresses] :
       {std::pair{"listen", &settings.listen}, std::pair{"http-listen", &settings.http_listen}}) {
    CheckApart(reader, "admin-listen", settings.admin_listen, flag, *addresses);
    CheckApart(reader, "internal-listen", internal, flag, *addresses);
  }
  CheckApart(reader, "internal-listen", internal, "admin-listen", settings.admin_listen);
}

void CheckSum(Settings* settings) {
  const Limit& memory = settings->machine.memory_bytes;
  const std::vector<MemoryUse> plan = MemoryPlan(*settings);
  if (Sum(plan) > memory.amount) {
    std::string parts;
    for (const MemoryUse& use : plan)
      absl::StrAppend(&parts, parts.empty() ? "" : ", ", use.what, " ", RenderBytes(use.bytes));
    settings->warnings.push_back(
        absl::StrCat("the settings allow ", RenderBytes(Sum(plan)), " of memory, but there are ",
                     RenderBytes(memory.amount), " of ", memory.source, ": ", parts));
  }
  if (settings->max_memory_bytes == 0) {
    settings->warnings.push_back(absl::StrCat("max-memory is 0: entries may take all of the ",
                                              RenderBytes(memory.amount), " that there are (",
                                              memory.source, "), and the server is killed then"));
  }
}

}  // namespace

uint64_t LargestCallBytes(uint64_t max_value_bytes) {
  return 2 * (max_value_bytes + kKeysAndFramingBytes);
}

void CheckContradictions(FlagReader* reader, Settings* settings) {
  CheckValues(reader, *settings);
  CheckShards(reader, *settings);
  CheckEvents(reader, settings);
  CheckAddresses(reader, *settings);
  CheckAddressesApart(reader, *settings);
  CheckSum(settings);
}

}  // namespace ferrite
