#include "server/services.h"

#include <utility>

#include "server/engine/feed_call.h"
#include "server/engine/frame_call.h"
#include "server/engine/stream_call.h"
#include "server/engine/unary_call.h"
#include "server/handlers/scan_handler.h"
#include "server/status.h"

namespace ferrite {
namespace {

// Calls of a method that can be taken up on one queue before it must arm another. gRPC buffers what
// nobody waits for, without a limit of its own, so there are enough.
constexpr int kArmedCalls = 64;
constexpr int kArmedStreams = 8;

}  // namespace

// Keeps methods of different types alive in one list.
class Services::AnyMethod {
 public:
  virtual ~AnyMethod() = default;
  virtual void Drain(const grpc::Status& status) = 0;
};

template <typename M>
class Services::MethodHolder final : public AnyMethod {
 public:
  template <typename... Args>
  explicit MethodHolder(Args&&... args) : method(std::forward<Args>(args)...) {}
  // Only streams that their clients keep open can go on for ever.
  void Drain(const grpc::Status& status) override {
    if constexpr (requires { method.Drain(status); }) method.Drain(status);
  }
  M method;
};

Services::Services() = default;
Services::~Services() = default;

void Services::ServeOn(QueueThread* thread, Store* store, CacheHandlers* cache, WireHandlers* wire,
                       AdminHandlers* admin, Dispatcher* dispatcher) {
  std::vector<std::unique_ptr<AnyMethod>>& methods = methods_[thread];
  // The types of a method follow from its Request* function.
  const auto unary =
      [&]<typename S, typename B, typename Rq, typename Rs, typename H>(
          S* service,
          void (B::*request)(grpc::ServerContext*, Rq*, grpc::ServerAsyncResponseWriter<Rs>*,
                             grpc::CompletionQueue*, grpc::ServerCompletionQueue*, void*),
          Method method, H* handlers, grpc::Status (H::*handler)(const Rq&, Rs*)) {
        auto held = std::make_unique<MethodHolder<UnaryMethod<B, Rq, Rs>>>(
            thread, service, request, method,
            [handlers, handler](const Rq& rq, Rs* rs) { return (handlers->*handler)(rq, rs); });
        held->method.Arm(kArmedCalls);
        methods.push_back(std::move(held));
      };
  using Cache = CacheMethods;
  unary(&cache_service_, &Cache::RequestGet, Method::kGet, wire, &WireHandlers::Get);
  unary(&cache_service_, &Cache::RequestSet, Method::kSet, cache, &CacheHandlers::Set);
  unary(&cache_service_, &Cache::RequestDelete, Method::kDelete, cache, &CacheHandlers::Delete);
  unary(&cache_service_, &Cache::RequestTouch, Method::kTouch, cache, &CacheHandlers::Touch);
  unary(&cache_service_, &Cache::RequestExists, Method::kExists, cache, &CacheHandlers::Exists);
  unary(&cache_service_, &Cache::RequestIncr, Method::kIncr, cache, &CacheHandlers::Incr);
  unary(&cache_service_, &Cache::RequestMGet, Method::kMGet, wire, &WireHandlers::MGet);
  unary(&cache_service_, &Cache::RequestMSet, Method::kMSet, cache, &CacheHandlers::MSet);
  unary(&cache_service_, &Cache::RequestMDelete, Method::kMDelete, cache, &CacheHandlers::MDelete);
  unary(&cache_service_, &Cache::RequestPublish, Method::kPublish, cache, &CacheHandlers::Publish);

  using Admin = v1::AdminService::AsyncService;
  unary(&admin_service_, &Admin::RequestInfo, Method::kInfo, admin, &AdminHandlers::Info);
  unary(&admin_service_, &Admin::RequestStats, Method::kStats, admin, &AdminHandlers::Stats);
  unary(&admin_service_, &Admin::RequestFlush, Method::kFlush, admin, &AdminHandlers::Flush);
  unary(&admin_service_, &Admin::RequestSlowLog, Method::kSlowLog, admin, &AdminHandlers::SlowLog);
  unary(&admin_service_, &Admin::RequestResetSlowLog, Method::kResetSlowLog, admin,
        &AdminHandlers::ResetSlowLog);

  const auto stream = [&]<typename S, typename B, typename Rq, typename Rs>(
                          S* service,
                          void (B::*request)(grpc::ServerContext*, Rq*,
                                             grpc::ServerAsyncWriter<Rs>*, grpc::CompletionQueue*,
                                             grpc::ServerCompletionQueue*, void*),
                          Method method, StreamHandler<Rq, Rs> open) {
    auto held = std::make_unique<MethodHolder<StreamMethod<B, Rq, Rs>>>(thread, service, request,
                                                                        method, std::move(open));
    held->method.Arm(kArmedStreams);
    methods.push_back(std::move(held));
  };
  const auto open_scan = [store](const v1::ScanRequest& request,
                                 MessageSource<v1::ScanResponse>* source) {
    return OpenScan(store, request, source);
  };
  stream(&cache_service_, &Cache::RequestScan, Method::kScan,
         StreamHandler<v1::ScanRequest, v1::ScanResponse>(open_scan));

  const auto frames = [&]<typename S, typename B>(
                          S* service,
                          void (B::*request)(grpc::ServerContext*, FrameStream*,
                                             grpc::CompletionQueue*, grpc::ServerCompletionQueue*,
                                             void*),
                          Method method, FrameHandler handler) {
    auto held = std::make_unique<MethodHolder<FrameMethod<B>>>(thread, service, request, method,
                                                               std::move(handler));
    held->method.Arm(kArmedStreams);
    methods.push_back(std::move(held));
  };
  frames(&cache_service_, &Cache::RequestPipeline, Method::kPipeline,
         [wire](const grpc::ByteBuffer& frame, grpc::ByteBuffer* reply) {
           return wire->Pipeline(frame, reply);
         });

  const auto feed = [&]<typename S, typename B>(
                        S* service,
                        void (B::*request)(grpc::ServerContext*, grpc::ByteBuffer*,
                                           grpc::ServerAsyncWriter<grpc::ByteBuffer>*,
                                           grpc::CompletionQueue*, grpc::ServerCompletionQueue*,
                                           void*),
                        Method method, FeedHandler open) {
    auto held = std::make_unique<MethodHolder<FeedMethod<B>>>(thread, service, request, method,
                                                              std::move(open));
    held->method.Arm(kArmedStreams);
    methods.push_back(std::move(held));
  };
  feed(&cache_service_, &Cache::RequestSubscribe, Method::kSubscribe,
       [dispatcher](const grpc::ByteBuffer& request, std::function<void()> wake,
                    std::unique_ptr<Feed>* feed) {
         return dispatcher->Open(request, std::move(wake), feed);
       });
}

void Services::DrainOn(QueueThread* thread) {
  const grpc::Status status =
      MakeError(grpc::StatusCode::UNAVAILABLE, v1::ERROR_REASON_SHUTTING_DOWN,
                "the server shuts down; frames without a reply were not executed");
  for (const auto& method : methods_.at(thread)) method->Drain(status);
}

}  // namespace ferrite
