#pragma once

// A client of one Ferrite cache: a single node or a cluster.
//
//   ClientOptions options;
//   options.seeds = {"127.0.0.1:6380"};
//   absl::StatusOr<std::unique_ptr<Client>> client = Client::Create(options);
//   (*client)->Set("greeting", "hello", absl::Minutes(5));
//   absl::StatusOr<v1::GetResponse> reply = (*client)->Get("greeting");
//   if (reply.ok() && reply->found()) Use(reply->value());
//
// Requests and responses are the messages of ferrite.v1; cache.proto says what each field means.
// Every RPC has two faces. XAsync() returns at once and hands the outcome to a callback; X() waits
// for it. FutureOf() in client/future.h makes a std::future of the former.
//
// Frames. Concurrent calls about one key, or channel, travel to a node together, as operations of a
// Pipeline stream, though each has its own outcome, deadline and retries: see BatchingOptions. A
// lone call leaves at once. A Set of 64 KiB or more, and every call to a server without Pipeline,
// is an RPC of its own.
//
// Deadlines. Every call has one: its own timeout or the client's, which covers all of its tries. A
// call with no time left fails with DEADLINE_EXCEEDED at once, within XAsync(). A call that was
// sent before it met its deadline or was cancelled (client/cancellation.h) may have been executed,
// or may still be.
//
// Overload. A call with little chance is not sent, and the message says so. A call that would share
// a frame fails with DEADLINE_EXCEEDED if, behind the calls that already wait, it could most likely
// not be answered in time. Some RPCs to a node that refuses much of its load fail with
// RESOURCE_EXHAUSTED, as the node's own refusals do (client/acceptance.h). Both happen within
// XAsync(), unless the call has been tried before.
//
// Clusters. The client learns from any of its seeds who owns which slots, and follows every change.
// A call about a key goes to its owner; if that cannot be reached, or is not known, any other node
// forwards the call. Where a slot has no owner for a moment, as it moves or its owner has died, a
// call is tried again, when the server says, until its deadline: if nothing was done, or repeating
// it does no harm. A single node is called as if there were no clusters.
//
// Calls about a node. Info, Stats, SlowLog, GetConfig, WhoAmI, Can, IssueToken, GetPolicy and
// IsServing ask the first seed that can be reached. Flush, ResetSlowLog, SetConfig and PutPolicy go
// to the first seed, and never to another node: they fail if it cannot be reached. No other node of
// a cluster is asked; make a client with it as the only seed.
//
// Retries. A call that failed with UNAVAILABLE, or that the server asked to be repeated, is tried
// again if its error says that nothing was done (MayBeDone() in client/error.h), or if repeating it
// does no harm: client/repeatable.h lists those calls. A conditional Set or an Incr is one of them
// if it has a request_id (NewRequestId()). Any other call that was sent on a connection that is
// lost fails, and the message says that the outcome is not known. How often: see RetryPolicy.
//
// Errors. A miss is an answer, not an error. A failed call yields a Status whose message can be
// shown to people; ReasonOf() in client/error.h tells programs why the server refused.
//
// Batches. A batch is split by owner, and its answers are put together in the order of the request.
// If a node fails, its keys have errors (KeyError, MSetResult) and the others their answers; if all
// keys fail, the call does. A request that a server refuses as such, as with INVALID_ARGUMENT,
// fails as a whole, though other nodes may have executed their parts.
//
// Threads. All methods are thread-safe. Callbacks run on the client's completion threads: they must
// not block, and must neither make synchronous calls (which fail with FAILED_PRECONDITION there)
// nor destroy the client. They may start asynchronous calls.
//
// End. The destructor cancels the calls in flight and returns after the last callback has. Their
// callbacks get CANCELLED, unless another outcome came first. A call that a callback starts
// meanwhile fails with CANCELLED at once, within XAsync(). Subscriptions end in the same way.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/callback.h"
#include "client/error.h"
#include "client/options.h"
#include "client/subscription.h"
#include "ferrite/v1/admin.pb.h"
#include "ferrite/v1/cache.pb.h"

namespace ferrite {

class Client {
 public:
  // INVALID_ARGUMENT if an option is out of range. The first call connects, so that an absent
  // server shows in the calls.
  static absl::StatusOr<std::unique_ptr<Client>> Create(const ClientOptions& options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // One key.
  void GetAsync(v1::GetRequest request, const CallOptions& options, Callback<v1::GetResponse> done);
  void SetAsync(v1::SetRequest request, const CallOptions& options, Callback<v1::SetResponse> done);
  void DeleteAsync(v1::DeleteRequest request, const CallOptions& options,
                   Callback<v1::DeleteResponse> done);
  void TouchAsync(v1::TouchRequest request, const CallOptions& options,
                  Callback<v1::TouchResponse> done);
  void IncrAsync(v1::IncrRequest request, const CallOptions& options,
                 Callback<v1::IncrResponse> done);

  // Messages. After a lost connection it may not be known whether a message was published: see
  // Retries.
  void PublishAsync(v1::PublishRequest request, const CallOptions& options,
                    Callback<v1::PublishResponse> done);

  // Messages and events as they come, for as long as the subscription exists; see
  // client/subscription.h. The caller of the first form fetches them; the second form calls back.
  std::unique_ptr<Subscription> Subscribe(v1::SubscribeRequest request,
                                          const SubscriptionOptions& options = {});
  std::unique_ptr<Subscription> Subscribe(v1::SubscribeRequest request,
                                          SubscriptionCallbacks callbacks,
                                          const SubscriptionOptions& options = {});

  // Many keys.
  void ExistsAsync(v1::ExistsRequest request, const CallOptions& options,
                   Callback<v1::ExistsResponse> done);
  void MGetAsync(v1::MGetRequest request, const CallOptions& options,
                 Callback<v1::MGetResponse> done);
  void MSetAsync(v1::MSetRequest request, const CallOptions& options,
                 Callback<v1::MSetResponse> done);
  void MDeleteAsync(v1::MDeleteRequest request, const CallOptions& options,
                    Callback<v1::MDeleteResponse> done);

  // One page of a scan: up to request.limit() entries (0: as many as make up about 4 MiB). The page
  // can be shorter, even empty; the scan is over when its cursor is empty, and otherwise goes on
  // with a request that carries that cursor.
  void ScanPageAsync(v1::ScanRequest request, const CallOptions& options,
                     Callback<v1::ScanResponse> done);

  // A node as a whole: see above.
  void InfoAsync(const CallOptions& options, Callback<v1::InfoResponse> done);
  void StatsAsync(const CallOptions& options, Callback<v1::StatsResponse> done);
  void FlushAsync(const CallOptions& options, Callback<v1::FlushResponse> done);
  void SlowLogAsync(v1::SlowLogRequest request, const CallOptions& options,
                    Callback<v1::SlowLogResponse> done);
  void ResetSlowLogAsync(const CallOptions& options, Callback<v1::ResetSlowLogResponse> done);
  void GetConfigAsync(v1::GetConfigRequest request, const CallOptions& options,
                      Callback<v1::GetConfigResponse> done);
  void SetConfigAsync(v1::SetConfigRequest request, const CallOptions& options,
                      Callback<v1::SetConfigResponse> done);
  // Whom the node takes this client for, and whether its policy would allow something.
  void WhoAmIAsync(const CallOptions& options, Callback<v1::WhoAmIResponse> done);
  void CanAsync(v1::CanRequest request, const CallOptions& options, Callback<v1::CanResponse> done);
  // The policy that the cluster has in etcd.
  void GetPolicyAsync(const CallOptions& options, Callback<v1::GetPolicyResponse> done);
  void PutPolicyAsync(v1::PutPolicyRequest request, const CallOptions& options,
                      Callback<v1::PutPolicyResponse> done);
  // Asks for a token with a part of this client's rights.
  void IssueTokenAsync(v1::IssueTokenRequest request, const CallOptions& options,
                       Callback<v1::IssueTokenResponse> done);
  // Whether the node says that it serves `service`, such as "ferrite.v1.CacheService"; empty: the
  // node as a whole.
  void IsServingAsync(std::string service, const CallOptions& options, Callback<bool> done);

  // The synchronous forms of the above.
  absl::StatusOr<v1::GetResponse> Get(v1::GetRequest request, const CallOptions& options = {});
  absl::StatusOr<v1::SetResponse> Set(v1::SetRequest request, const CallOptions& options = {});
  absl::StatusOr<v1::DeleteResponse> Delete(v1::DeleteRequest request,
                                            const CallOptions& options = {});
  absl::StatusOr<v1::TouchResponse> Touch(v1::TouchRequest request,
                                          const CallOptions& options = {});
  absl::StatusOr<v1::IncrResponse> Incr(v1::IncrRequest request, const CallOptions& options = {});
  absl::StatusOr<v1::PublishResponse> Publish(v1::PublishRequest request,
                                              const CallOptions& options = {});
  absl::StatusOr<v1::ExistsResponse> Exists(v1::ExistsRequest request,
                                            const CallOptions& options = {});
  absl::StatusOr<v1::MGetResponse> MGet(v1::MGetRequest request, const CallOptions& options = {});
  absl::StatusOr<v1::MSetResponse> MSet(v1::MSetRequest request, const CallOptions& options = {});
  absl::StatusOr<v1::MDeleteResponse> MDelete(v1::MDeleteRequest request,
                                              const CallOptions& options = {});
  absl::StatusOr<v1::ScanResponse> ScanPage(v1::ScanRequest request,
                                            const CallOptions& options = {});
  absl::StatusOr<v1::InfoResponse> Info(const CallOptions& options = {});
  absl::StatusOr<v1::StatsResponse> Stats(const CallOptions& options = {});
  absl::StatusOr<v1::FlushResponse> Flush(const CallOptions& options = {});
  absl::StatusOr<v1::SlowLogResponse> SlowLog(v1::SlowLogRequest request,
                                              const CallOptions& options = {});
  absl::StatusOr<v1::ResetSlowLogResponse> ResetSlowLog(const CallOptions& options = {});
  absl::StatusOr<v1::GetConfigResponse> GetConfig(v1::GetConfigRequest request,
                                                  const CallOptions& options = {});
  absl::StatusOr<v1::SetConfigResponse> SetConfig(v1::SetConfigRequest request,
                                                  const CallOptions& options = {});
  absl::StatusOr<v1::WhoAmIResponse> WhoAmI(const CallOptions& options = {});
  absl::StatusOr<v1::CanResponse> Can(v1::CanRequest request, const CallOptions& options = {});
  absl::StatusOr<v1::GetPolicyResponse> GetPolicy(const CallOptions& options = {});
  absl::StatusOr<v1::PutPolicyResponse> PutPolicy(v1::PutPolicyRequest request,
                                                  const CallOptions& options = {});
  absl::StatusOr<v1::IssueTokenResponse> IssueToken(v1::IssueTokenRequest request,
                                                    const CallOptions& options = {});
  absl::StatusOr<bool> IsServing(std::string service = "", const CallOptions& options = {});

  // Every entry that the request asks for, page by page, each handed to `visit` on the calling
  // thread until it returns false. The timeout applies to each page.
  absl::Status Scan(v1::ScanRequest request,
                    absl::FunctionRef<bool(const v1::ScanEntry& entry)> visit,
                    const CallOptions& options = {});

  // Short forms of the most frequent calls.
  absl::StatusOr<v1::GetResponse> Get(std::string_view key);
  // With an infinite `ttl` the entry does not expire. Other values are rounded down to
  // milliseconds.
  absl::StatusOr<v1::SetResponse> Set(std::string_view key, std::string_view value,
                                      absl::Duration ttl = absl::InfiniteDuration());
  absl::StatusOr<v1::DeleteResponse> Delete(std::string_view key);
  absl::StatusOr<v1::IncrResponse> Incr(std::string_view key, int64_t delta = 1);
  absl::StatusOr<v1::PublishResponse> Publish(std::string_view channel, std::string_view payload);
  absl::StatusOr<v1::MGetResponse> MGet(const std::vector<std::string>& keys);

 private:
  class Core;
  explicit Client(std::unique_ptr<Core> core);

  const std::unique_ptr<Core> core_;
};

}  // namespace ferrite
