// Calls whose answers come later, through gRPC: under load, cancelled, past their deadline, drained
// and shut down at every point. Meant for the thread sanitizer.

#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "ferrite/v1/cache.grpc.pb.h"
#include "server/engine/grpc/grpc_server.h"
#include "server/net/listener.h"

namespace ferrite {
namespace {

// Wakes what it is given, soon, from a thread of its own.
class Worker {
 public:
  Worker() : thread_([this] { Run(); }) {}
  ~Worker() { Stop(); }

  void Take(const Waker& waker, std::shared_ptr<std::atomic<bool>> ready) {
    std::lock_guard lock(mutex_);
    work_.emplace_back(waker, std::move(ready));
    changed_.notify_one();
  }
  void Stop() {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
      changed_.notify_one();
    }
    if (thread_.joinable()) thread_.join();
  }

 private:
  void Run() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return stop_ || !work_.empty(); });
      if (work_.empty()) return;
      const auto [waker, ready] = std::move(work_.front());
      work_.pop_front();
      lock.unlock();
      ready->store(true);
      waker.Wake();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::pair<Waker, std::shared_ptr<std::atomic<bool>>>> work_;
  bool stop_ = false;
  std::thread thread_;
};

// Serves Get, which waits for the worker: for ever if the key is "never", yielding all the time if
// it is "yield"; Exists, which is answered at once; and Pipeline, each frame of which waits.
class WaitingServer {
 public:
  explicit WaitingServer(int threads)
      : rpcs_{{Method::kGet, Shape::kUnary, [this](Turn* turn) { return Wait(turn); }},
              {Method::kExists, Shape::kUnary,
               [](Turn* turn) {
                 turn->reply()->AppendMessage(v1::ExistsResponse());
                 return absl::OkStatus();
               }},
              {Method::kPipeline, Shape::kFrames, [this](Turn* turn) { return Wait(turn); }}},
        grpc_({.threads = threads}, &counters_, &admissions_, &slow_calls_) {
    EXPECT_TRUE(listener_.Bind({{"127.0.0.1", 0}}).ok());
    EXPECT_TRUE(grpc_.Build(rpcs_).ok());
    grpc_.Start();
    const auto hand_over = [this](int listener, int fd) { grpc_.Handoff(listener, fd); };
    EXPECT_TRUE(listener_.Start({1000}, {}, hand_over).ok());
  }
  ~WaitingServer() {
    if (!ended_) Shutdown(absl::Seconds(20));
    EXPECT_EQ(alive_, 0);
    EXPECT_EQ(counters_.Inflight(), 0u);
    EXPECT_EQ(counters_.Waiting(Method::kGet), 0u);
    EXPECT_EQ(admissions_.budget.operations(), 0u);
    EXPECT_EQ(admissions_.budget.bytes(), 0u);
  }
  void Shutdown(absl::Duration grace) {
    listener_.Stop();
    grpc_.Shutdown(
        grace, absl::UnavailableError("drained"), [](size_t) {},
        [this] { return listener_.EndConnections(); });
    worker_.Stop();
    ended_ = true;
  }

  std::unique_ptr<v1::CacheService::Stub> Connect() {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return v1::CacheService::NewStub(grpc::CreateCustomChannel(
        ToString(listener_.addresses()), grpc::InsecureChannelCredentials(), arguments));
  }
  // Until so many calls are counted as waiting, or one of them has ended, which makes it false.
  bool AwaitWaiting(uint64_t count, const std::atomic<int>& ended) {
    while (counters_.Waiting(Method::kGet) < count) {
      if (ended > 0) return false;
      std::this_thread::yield();
    }
    return true;
  }
  int alive() const { return alive_; }

 private:
  class Waiting final : public Answer {
   public:
    Waiting(WaitingServer* server, Turn* turn) : server_(*server) {
      ++server_.alive_;
      v1::GetRequest request;
      turn->request().ParseInto(&request);
      yields_ = request.key() == "yield";
      if (!yields_ && request.key() != "never") server_.worker_.Take(turn->waker(), ready_);
    }
    ~Waiting() override { --server_.alive_; }

    Next Advance(ReplyWriter* message, CallEnd*) override {
      if (yields_) return Next::kYield;
      if (!ready_->load()) return Next::kWait;
      v1::GetResponse response;
      response.set_found(true);
      message->AppendMessage(response);
      return Next::kEnd;
    }

   private:
    WaitingServer& server_;
    const std::shared_ptr<std::atomic<bool>> ready_ = std::make_shared<std::atomic<bool>>(false);
    bool yields_;
  };

  absl::Status Wait(Turn* turn) {
    turn->Later(std::make_unique<Waiting>(this, turn));
    return absl::OkStatus();
  }

  std::atomic<int> alive_{0};
  CounterRegistry counters_;
  Admissions admissions_{{.operations = 10'000, .bytes = 1 << 30}};
  SlowCalls slow_calls_{absl::ZeroDuration(), 10};
  Worker worker_;
  const std::vector<Rpc> rpcs_;
  GrpcServer grpc_;
  Listener listener_;
  bool ended_ = false;
};

class WaitingTest : public testing::TestWithParam<int> {
 protected:
  grpc::Status Get(v1::CacheService::Stub* stub, const std::string& key,
                   grpc::ClientContext* context) {
    v1::GetRequest request;
    request.set_key(key);
    v1::GetResponse response;
    const grpc::Status status = stub->Get(context, request, &response);
    EXPECT_EQ(response.found(), status.ok());
    return status;
  }
  grpc::Status Get(v1::CacheService::Stub* stub, const std::string& key) {
    grpc::ClientContext context;
    return Get(stub, key, &context);
  }
  void InThreads(int count, const std::function<void(int)>& body) {
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) threads.emplace_back([&body, i] { body(i); });
    for (std::thread& thread : threads) thread.join();
  }
};

INSTANTIATE_TEST_SUITE_P(Threads, WaitingTest, testing::Values(1, 3));

TEST_P(WaitingTest, AnswersComeUnderLoad) {
  WaitingServer server(GetParam());
  InThreads(8, [&](int) {
    const auto stub = server.Connect();
    for (int i = 0; i < 300; ++i) {
      const grpc::Status status = Get(stub.get(), "k");
      ASSERT_TRUE(status.ok()) << status.error_code() << ": " << status.error_message();
    }
  });
}

// More callers than the front thread waits for at a time: calls go to threads that sleep, and come
// back when they are called, and the server ends while helpers are at work.
TEST_P(WaitingTest, BurstsLeaveNoCallBehind) {
  for (int round = 0; round < 5; ++round) {
    WaitingServer server(GetParam());
    InThreads(4, [&](int) {
      const auto stub = server.Connect();
      for (int burst = 0; burst < 5; ++burst) {
        grpc::CompletionQueue queue;
        constexpr int kCalls = 200;
        std::vector<grpc::ClientContext> contexts(kCalls);
        std::vector<v1::ExistsResponse> responses(kCalls);
        std::vector<grpc::Status> statuses(kCalls);
        for (int i = 0; i < kCalls; ++i) {
          stub->AsyncExists(&contexts[i], v1::ExistsRequest(), &queue)
              ->Finish(&responses[i], &statuses[i], &statuses[i]);
        }
        for (int i = 0; i < kCalls; ++i) {
          void* tag;
          bool ok;
          ASSERT_TRUE(queue.Next(&tag, &ok));
          EXPECT_TRUE(static_cast<grpc::Status*>(tag)->ok());
        }
      }
    });
  }
}

TEST_P(WaitingTest, CallsAreCancelledAtEveryPoint) {
  WaitingServer server(GetParam());
  InThreads(8, [&](int thread) {
    std::minstd_rand random(static_cast<unsigned>(thread + 1));
    const auto stub = server.Connect();
    for (int i = 0; i < 200; ++i) {
      grpc::ClientContext context;
      std::thread canceller([&context, spins = random() % 20'000] {
        for (volatile unsigned spin = 0; spin < spins;) spin = spin + 1;
        context.TryCancel();
      });
      const grpc::Status status = Get(stub.get(), random() % 4 == 0 ? "never" : "k", &context);
      EXPECT_TRUE(status.ok() || status.error_code() == grpc::CANCELLED) << status.error_message();
      canceller.join();
    }
  });
}

TEST_P(WaitingTest, DeadlinesPassAtEveryPoint) {
  WaitingServer server(GetParam());
  InThreads(8, [&](int thread) {
    std::minstd_rand random(static_cast<unsigned>(thread + 1));
    const auto stub = server.Connect();
    for (int i = 0; i < 100; ++i) {
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() +
                           std::chrono::microseconds(random() % 5000));
      const std::string key = i % 5 == 0 ? "never" : i % 5 == 1 ? "yield" : "k";
      const grpc::Status status = Get(stub.get(), key, &context);
      // Of calls with so little time, a busy machine's server refuses some.
      EXPECT_TRUE(status.ok() || status.error_code() == grpc::DEADLINE_EXCEEDED ||
                  status.error_code() == grpc::RESOURCE_EXHAUSTED)
          << status.error_message();
    }
  });
}

TEST_P(WaitingTest, WaitingCallsKeepNobodyFromBeingServed) {
  WaitingServer server(GetParam());
  std::vector<std::thread> waiters;
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::atomic<int> ended{0};
  for (int i = 0; i < 20; ++i) {
    grpc::ClientContext* const context =
        contexts.emplace_back(std::make_unique<grpc::ClientContext>()).get();
    context->set_wait_for_ready(true);  // on a busy machine, a connection may need another try
    waiters.emplace_back([&, context, i] {
      EXPECT_EQ(Get(server.Connect().get(), i == 0 ? "yield" : "never", context).error_code(),
                grpc::CANCELLED);
      ++ended;
    });
  }
  EXPECT_TRUE(server.AwaitWaiting(20, ended));
  const auto stub = server.Connect();
  // Few, as on a busy machine each waits for the thread that is kept busy to lose its core.
  for (int i = 0; i < 20 && !HasFailure(); ++i) {
    grpc::ClientContext context;
    context.set_wait_for_ready(true);
    v1::ExistsResponse response;
    EXPECT_TRUE(stub->Exists(&context, v1::ExistsRequest(), &response).ok());
    EXPECT_TRUE(Get(stub.get(), "k").ok());
  }
  for (const auto& context : contexts) context->TryCancel();
  for (std::thread& waiter : waiters) waiter.join();
}

TEST_P(WaitingTest, TheServerShutsDownAtEveryPoint) {
  for (int round = 0; round < 15; ++round) {
    WaitingServer server(GetParam());
    std::vector<std::thread> callers;
    std::atomic<int> begun{0};
    std::atomic<int> ended{0};
    for (int i = 0; i < 6; ++i) {
      callers.emplace_back([&, i] {
        const auto stub = server.Connect();
        for (int call = 0; call < 10'000; ++call) {
          ++begun;
          grpc::ClientContext context;
          const std::string key = i == 0 ? "never" : i == 1 ? "yield" : "k";
          if (!Get(stub.get(), key, &context).ok()) break;
        }
        ++ended;
      });
    }
    while (begun < 10 * round && ended == 0) std::this_thread::yield();
    server.Shutdown(round % 2 == 0 ? absl::ZeroDuration() : absl::Milliseconds(20));
    EXPECT_EQ(server.alive(), 0);
    for (std::thread& caller : callers) caller.join();
  }
}

TEST_P(WaitingTest, FramesThatWaitAreAnsweredInOrderAndDrained) {
  WaitingServer server(GetParam());
  grpc::ClientContext context;
  const auto stub = server.Connect();
  const auto stream = stub->Pipeline(&context);
  v1::PipelineRequest frame;
  frame.add_operations()->mutable_get()->set_key("k");
  v1::PipelineResponse reply;
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(stream->Write(frame));
    ASSERT_TRUE(stream->Read(&reply));
  }
  std::thread end([&] { server.Shutdown(absl::Seconds(20)); });
  EXPECT_FALSE(stream->Read(&reply));
  EXPECT_EQ(stream->Finish().error_code(), grpc::UNAVAILABLE);
  end.join();
}

}  // namespace
}  // namespace ferrite
