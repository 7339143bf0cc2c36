#pragma once

// A client of one Ferrite cache.
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
// call that meets no other leaves at once. A large Set, from 64 KiB, and whatever a server does not
// take in frames is an RPC of its own.
//
// Deadlines. Every call has one: its own timeout or the client's, in which all its tries have to
// fit. Without any time left it fails with DEADLINE_EXCEEDED at once, within XAsync(). A call that
// ends by its deadline otherwise, or is cancelled (client/cancellation.h), may have been carried
// out, or may still be, if it had been sent.
//
// Overload. What has little chance is not sent, and the message says so: a call that would share a
// frame but, after those that wait already, could most likely not be answered in time fails with
// DEADLINE_EXCEEDED; and of the RPCs to a node that refuses much of what it is sent, some fail with
// RESOURCE_EXHAUSTED, as the node's own refusals do (client/acceptance.h). Both happen within
// XAsync(), unless the call has been tried before.
//
// Retries. A call that failed with UNAVAILABLE, or that the server asked to come again, is tried
// again if repeating it does no harm: client/repeatable.h lists which calls those are. Give a
// conditional Set or an Incr a request_id (NewRequestId()) and it is among them. If another call
// was sent and its connection is lost, it fails, and the message says that the outcome is not
// known.
//
// Errors. A miss is an answer, not an error. A failed call yields a Status whose message can be
// shown to people; ReasonOf() in client/error.h tells programs why the server refused.
//
// Batches. A batch is cut by node and put together again in the order of the request. If a node
// fails, the batch fails, though other nodes may have carried out their parts.
//
// Threads. All methods are thread-safe. Callbacks run on the client's completion threads: they must
// not block, and must neither make synchronous calls (which fail with FAILED_PRECONDITION there)
// nor destroy the client. They may start asynchronous calls.
//
// End. The destructor cancels the calls in flight and returns after the last callback has. Their
// callbacks get CANCELLED, unless another outcome was faster. A call that a callback starts
// meanwhile fails with CANCELLED at once, within XAsync(). Subscriptions end likewise.

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
  // INVALID_ARGUMENT when an option is out of its range. Connects when the first call needs it:
  // that no server is there shows in the calls.
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

  // Messages. A lost connection may leave open whether a message was published: see Retries.
  void PublishAsync(v1::PublishRequest request, const CallOptions& options,
                    Callback<v1::PublishResponse> done);

  // Messages and events as they come, for as long as the subscription is there; see
  // client/subscription.h. The first form lets the caller fetch them, the second calls back.
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

  // The node as a whole.
  void InfoAsync(const CallOptions& options, Callback<v1::InfoResponse> done);
  void StatsAsync(const CallOptions& options, Callback<v1::StatsResponse> done);
  void FlushAsync(const CallOptions& options, Callback<v1::FlushResponse> done);
  void SlowLogAsync(v1::SlowLogRequest request, const CallOptions& options,
                    Callback<v1::SlowLogResponse> done);
  void ResetSlowLogAsync(const CallOptions& options, Callback<v1::ResetSlowLogResponse> done);
  // Whether the node says that it serves `service`, such as "ferrite.v1.CacheService"; empty: the
  // node as a whole.
  void IsServingAsync(std::string service, const CallOptions& options, Callback<bool> done);

  // The same, waiting.
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
  absl::StatusOr<bool> IsServing(std::string service = "", const CallOptions& options = {});

  // Every entry that the request asks for, page by page, each handed to `visit` on the calling
  // thread until it returns false. The timeout applies to each page.
  absl::Status Scan(v1::ScanRequest request,
                    absl::FunctionRef<bool(const v1::ScanEntry& entry)> visit,
                    const CallOptions& options = {});

  // What is asked most, in short.
  absl::StatusOr<v1::GetResponse> Get(std::string_view key);
  // An infinite `ttl`: the entry does not expire. Others count in whole milliseconds, rounded down.
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
