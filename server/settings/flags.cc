#include "server/settings/flags.h"

#include <array>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "base/byte_amount.h"
#include "base/nearest_name.h"

namespace ferrite {
namespace {

constexpr auto kFlags = std::to_array<Flag>({
    {"listen", "127.0.0.1:6380",
     "where to serve gRPC: HOST:PORT, *:PORT for every address of both families, unix:PATH or "
     "unix-abstract:NAME; several with commas or repeated; port 0 takes any that is free",
     false, true},
    {"http-listen", "127.0.0.1:6381",
     "where to serve /metrics, /healthz and /readyz, in the same forms; empty: nowhere", false,
     true},
    {"admin-listen", "",
     "where to serve gRPC to administrators, in the same forms; every other listener then refuses "
     "what needs the verb admin; empty: nowhere else",
     false, true},
    {"unix-socket-mode", "660",
     "permissions of the files of Unix domain sockets, in octal: who may connect"},
    {"insecure", "no",
     "yes, or --insecure by itself: serve addresses that other machines can reach although there "
     "is no TLS (--tls-cert) or no policy (--policy), and everybody may read and change everything",
     false, false, true},
    {"max-memory", "65%", "memory for entries: an amount such as 2GiB, a share, or 0 for no limit",
     true},
    {"eviction", "s3-fifo", "what a full store does: s3-fifo evicts, noeviction refuses writes"},
    {"shards", "0", "shards of the store, rounded up to a power of two; 0: by cores and memory"},
    {"threads", "0",
     "serving threads; 0: one for each core that the process may use, and at most one for each "
     "64 MiB of memory"},
    {"max-value-bytes", "1MiB", "largest value that is accepted"},
    {"max-connections", "0",
     "connections at a time; those of more are refused all calls but health checks; 0: as many as "
     "4% of the memory has "
     "room for, at most 10000"},
    {"max-concurrent-streams", "1024",
     "streams per connection; unary calls have places of their own"},
    {"max-streams", "0",
     "streams of all connections, but subscriptions; more are refused; 0: as many as 4% of the "
     "memory has room for, at most 100000"},
    {"max-inflight-operations", "65536",
     "operations taken up whose answers are not out; more are refused"},
    {"max-inflight-bytes", "5%",
     "memory for requests and replies in progress: an amount or a share; more are refused"},
    {"connection-share", "50%",
     "how much of the work in progress one connection may hold if it is alone; beside others that "
     "hold some, less, so that something stays free; 100%: all"},
    {"stalled-reply-timeout", "30s",
     "calls whose client does not take a message for so long are ended, but not subscriptions; 0: "
     "never"},
    {"request-window-bytes", "3%",
     "memory for the outcomes of calls with a request_id: an amount or a share"},
    {"shutdown-grace", "10s", "how long calls in progress may take to end after SIGTERM"},
    {"max-connection-age", "0",
     "ask clients to reconnect after this long, so that they find new nodes; 0: never"},
    {"frame-guard", "on",
     "end connections that flood gRPC with frames; on: not to start where that cannot be done; "
     "warn: "
     "to start all the same; off: not at all"},
    {"tls-cert", "",
     "the certificate of the server, a file in PEM, followed by those that issued it: gRPC over "
     "TCP "
     "is served over TLS only; empty: without TLS. The files may be renewed at any time"},
    {"tls-key", "", "the key of the certificate, a file in PEM"},
    {"tls-client-ca", "",
     "the authorities that issue certificates of clients, a file in PEM; empty: clients are not "
     "asked for any"},
    {"tls-client-auth", "require",
     "with --tls-client-ca: require a certificate of each client; optional: check it if there is "
     "one"},
    {"max-handshakes", "0",
     "TLS handshakes at a time; beyond, a new one displaces the oldest that waits for its client; "
     "0: a quarter of --max-connections, at most 512"},
    {"slowlog-threshold", "10ms",
     "keep calls that take this long for SlowLog, such as 250us; 0: every call, off: none", true},
    {"slowlog-entries", "128",
     "slow calls to keep, and as many that only waited; the oldest go first"},
    {"max-subscribers", "0",
     "subscriptions at a time; more are refused; 0: as many as 2% of the memory has room for, "
     "at most 100000"},
    {"subscriber-queue-events", "4096", "events that may wait for one subscription"},
    {"subscriber-queue-bytes", "1MiB", "bytes of events that may wait for one subscription"},
    {"subscriber-total-bytes", "3%",
     "bytes of events that may wait for all subscriptions: an amount or a share"},
    {"history-events", "65536",
     "events kept for subscriptions that are resumed or have fallen behind"},
    {"history-bytes", "2%", "bytes of these events: an amount or a share"},
    {"subscription-linger", "60s",
     "how long events are recorded for a subscription that has ended, so that it can be "
     "resumed"},
    {"policy", "",
     "the file that says who may do what, in YAML or JSON, which is read again whenever it "
     "changes; empty: everybody may do everything"},
    {"policy-in-etcd", "no",
     "yes, or --policy-in-etcd by itself: the policy that was put into the cluster's etcd (ferrite "
     "policy put) wins over --policy, on all nodes",
     false, false, true},
    {"audit-log", "",
     "the file to which what the policy denies, calls of operators, tokens that were given out and "
     "changes of the policy are appended as lines of JSON, and which SIGHUP has opened anew; -: "
     "the log; empty: nowhere"},
    {"token-key", "",
     "the file with the private key, Ed25519 in PEM, by which this server signs the tokens that "
     "AdminService.IssueToken gives out, and with others whose tokens it accepts; the same on all "
     "nodes of a cluster; empty: it gives out none"},
    {"cluster-name", "",
     "the cluster that this node is part of: letters, digits, '.', '_' and '-'; empty: of none"},
    {"etcd-endpoints", "",
     "where the cluster's etcd is: HOST:PORT, or https://HOST:PORT over TLS; several with commas "
     "or "
     "repeated",
     false, true},
    {"etcd-ca", "",
     "the authorities that issue etcd's certificates, a file in PEM; empty: those of the system. "
     "It "
     "turns on TLS"},
    {"etcd-cert", "", "the certificate to show to etcd, a file in PEM"},
    {"etcd-key", "", "the key of that certificate, a file in PEM"},
    {"node-id", "", "the name of this node in its cluster; empty: the host's name"},
    {"advertise", "",
     "where clients and other nodes reach this node, as HOST:PORT; empty: the first address of "
     "--listen"},
    {"zone", "", "the failure domain that this node is in, such as europe-west1-b"},
    {"internal-listen", "",
     "where to serve what other nodes send, as HOST:PORT or *:PORT; empty: where --listen says"},
    {"peer-token-file", "",
     "the file with the token that this node shows to others, so that they execute what it "
     "forwards if they have a policy; empty: none"},
    {"lease-ttl", "3s",
     "how long a node may serve after its last word from etcd, 2s to 60s, in whole seconds; after "
     "about twice that, others serve for a node that is gone"},
    {"log-format", "text", "text or json"},
    {"log-level", "info", "debug, info, warning or error", true},
});

}  // namespace

std::span<const Flag> AllFlags() { return kFlags; }

const Flag* FindFlag(std::string_view name) {
  for (const Flag& flag : kFlags) {
    if (flag.name == name) return &flag;
  }
  return nullptr;
}

std::optional<std::string> NearestFlag(std::string_view name) {
  std::vector<std::string> names;
  for (const Flag& flag : kFlags) names.emplace_back(flag.name);
  const std::vector<std::string> nearest = NearestNames(name, names);
  return nearest.empty() ? std::nullopt : std::optional(nearest.front());
}

std::string FlagName(std::string_view name) { return "--" + std::string(name); }

std::string EnvironmentName(std::string_view name) {
  return "FERRITE_" + absl::StrReplaceAll(absl::AsciiStrToUpper(std::string(name)), {{"-", "_"}});
}

std::string FlagHelp() {
  std::string help;
  for (const Flag& flag : kFlags) {
    absl::StrAppend(&help,
                    absl::StrFormat("  %-26s %s (default: %s)\n", FlagName(flag.name),
                                    std::string(flag.description),
                                    flag.otherwise.empty() ? "none" : std::string(flag.otherwise)));
  }
  absl::StrAppend(
      &help, "\nAn amount is ", kByteAmountForms,
      ".\nA share such as 70% is of the memory that there is: what the machine has, or what the "
      "tightest of control groups and\nresource limits allows, less 16 MiB for the program, 16 "
      "MiB for requests on their way, and 4 MiB for each thread.\n");
  return help;
}

}  // namespace ferrite
