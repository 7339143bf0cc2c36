// What a node does with a peer that does not behave as a node does.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "ferrite/v1/admin.grpc.pb.h"
#include "server/call/status.h"
#include "server/engine/grpc/wire_status.h"
#include "server/routing/lane.h"
#include "tests/server/routing/odd_peer_fixture.h"

namespace ferrite {
namespace {

TEST_F(OddPeerTest, RepliesThatMakeNoSenseAreNotTaken) {
  const auto store_all = peer_.behave;
  // Too many results, results of another kind, none at all.
  peer_.behave = [&](const v1::PipelineRequest& frame, v1::PipelineResponse* reply) {
    StoreAll(frame, reply);
    StoreAll(frame, reply);
    return true;
  };
  ExpectUnreachable(SetAt(0, KeyOf(1), "v"), "unknown");
  peer_.behave = [](const v1::PipelineRequest&, v1::PipelineResponse* reply) {
    reply->add_results();
    return true;
  };
  ExpectUnreachable(SetAt(0, KeyOf(1), "v"), "unknown");
  peer_.behave = [](const v1::PipelineRequest&, v1::PipelineResponse* reply) {
    reply->add_results()->mutable_incr()->set_value(1);
    return true;
  };
  EXPECT_EQ(SetAt(0, KeyOf(1), "v").error_code(), grpc::StatusCode::INTERNAL);
  peer_.behave = store_all;
  EXPECT_TRUE(SetAt(0, KeyOf(1), "v").ok());
}

TEST_F(OddPeerTest, APeerOfAnotherVersionMaySayMore) {
  peer_.behave = [](const v1::PipelineRequest& frame, v1::PipelineResponse* reply) {
    StoreAll(frame, reply);
    v1::OperationResult* const result = reply->mutable_results(0);
    for (google::protobuf::Message* message :
         std::initializer_list<google::protobuf::Message*>{reply, result->mutable_set()}) {
      message->GetReflection()->MutableUnknownFields(message)->AddLengthDelimited(1000, "later");
    }
    return true;
  };
  EXPECT_TRUE(SetAt(0, KeyOf(1), "v").ok());
  // A result that is not known here is none.
  peer_.behave = [](const v1::PipelineRequest&, v1::PipelineResponse* reply) {
    v1::OperationResult* const result = reply->add_results();
    result->GetReflection()->MutableUnknownFields(result)->AddLengthDelimited(1000, "later");
    return true;
  };
  const grpc::Status status = SetAt(0, KeyOf(1), "v");
  EXPECT_TRUE(status.error_code() == grpc::StatusCode::INTERNAL ||
              status.error_code() == grpc::StatusCode::UNAVAILABLE)
      << status.error_code();
}

TEST_F(OddPeerTest, TheEndOfAStreamTellsWhetherAnythingWasDone) {
  peer_.behave = [](const auto&, auto*) { return false; };
  peer_.end = grpc::Status(grpc::StatusCode::INTERNAL, "odd");
  ExpectUnreachable(SetAt(0, KeyOf(1), "v"), "unknown");
  peer_.end =
      ToGrpc(MakeError(absl::StatusCode::kUnavailable, v1::SHUTTING_DOWN, "the server shuts down"));
  ExpectUnreachable(SetAt(0, KeyOf(1), "v"), "no");
  peer_.end = ToGrpc(MakeError(absl::StatusCode::kResourceExhausted, v1::OVERLOADED, "too much"));
  const grpc::Status status = SetAt(0, KeyOf(1), "v");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(InfoOf(status).reason(), "OVERLOADED");
  EXPECT_EQ(trailers_.count("grpc-retry-pushback-ms"), 1u);
}

TEST_F(OddPeerTest, WhatWaitsForAPeerIsLimited) {
  peer_.behave = [this](const v1::PipelineRequest& frame, v1::PipelineResponse* reply) {
    peer_.AwaitRelease();
    StoreAll(frame, reply);
    return true;
  };
  constexpr int kCalls = 14;
  constexpr int kFitting = static_cast<int>(Lane::kMaxBytes >> 20);
  std::atomic<int> refused = 0;
  std::atomic<int> stored = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < kCalls; ++i) {
    clients.emplace_back([&, i] {
      grpc::ClientContext context;
      v1::SetRequest request;
      request.set_key(KeyOf(1, i));
      request.set_value(std::string(1 << 20, 'v'));
      v1::SetResponse response;
      const grpc::Status status = members_[0].stub->Set(&context, request, &response);
      if (status.ok()) {
        ++stored;
        return;
      }
      EXPECT_EQ(InfoOf(status).reason(), "OVERLOADED");
      EXPECT_EQ(InfoOf(status).metadata().at("node"), "node-1");
      if (++refused == kCalls - kFitting) peer_.Release();
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(refused, kCalls - kFitting);
  EXPECT_EQ(stored, kFitting);
  EXPECT_EQ(peer_.streams(), 1);
  EXPECT_TRUE(SetAt(0, KeyOf(1), "v").ok());
}

TEST_F(OddPeerTest, OperationsThatWaitForAPeerAreLimitedAndThoseOfACallShareItsFate) {
  const auto store_all = peer_.behave;
  peer_.behave = [this, store_all](const v1::PipelineRequest& frame, v1::PipelineResponse* reply) {
    peer_.AwaitRelease();
    return store_all(frame, reply);
  };
  constexpr int kOperations = 1000;
  constexpr int kFitting = static_cast<int>(Lane::kMaxOperations) / kOperations;
  v1::PipelineRequest frame;
  for (int i = 0; i < kOperations; ++i) {
    v1::SetRequest* const set = frame.add_operations()->mutable_set();
    set->set_key(KeyOf(1));
    set->set_value("v");
  }
  std::atomic<int> refused = 0;
  std::atomic<int> stored = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < kFitting + 1; ++i) {
    clients.emplace_back([&] {
      grpc::ClientContext context;
      const auto stream = members_[0].stub->Pipeline(&context);
      v1::PipelineResponse reply;
      ASSERT_TRUE(stream->Write(frame));
      ASSERT_TRUE(stream->Read(&reply));
      ASSERT_EQ(reply.results_size(), kOperations);
      for (const v1::OperationResult& result : reply.results()) {
        stored += result.has_set();
        refused += result.error().reason() == v1::OVERLOADED;
      }
      if (refused > 0) peer_.Release();
      stream->WritesDone();
      EXPECT_TRUE(stream->Finish().ok());
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(stored, kFitting * kOperations);
  EXPECT_EQ(refused, kOperations);
}

TEST_F(OddPeerTest, EachOperationOfAFrameTellsThePeerWhatIsLeftOfItsTime) {
  std::vector<uint32_t> times;
  peer_.behave = [&](const v1::PipelineRequest& frame, v1::PipelineResponse* reply) {
    for (const v1::Operation& operation : frame.operations()) {
      times.push_back(operation.timeout_ms());
    }
    StoreAll(frame, reply);
    return true;
  };
  v1::PipelineRequest frame;
  for (const uint32_t timeout_ms : {0u, 10'000u, 3'600'000u}) {
    v1::Operation* const operation = frame.add_operations();
    operation->mutable_set()->set_key(KeyOf(1));
    operation->set_timeout_ms(timeout_ms);
  }
  grpc::ClientContext context;
  const auto stream = members_[0].stub->Pipeline(&context);
  v1::PipelineResponse reply;
  ASSERT_TRUE(stream->Write(frame));
  ASSERT_TRUE(stream->Read(&reply));
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
  ASSERT_EQ(times.size(), 3u);
  EXPECT_EQ(times[0], 0u);  // so the peer refuses it
  EXPECT_GT(times[1], 0u);
  EXPECT_LT(times[1], 10'000u);
  EXPECT_LE(times[2], 30'000u);
  EXPECT_GT(times[2], times[1]);
}

TEST_F(OddPeerTest, ANodeEndsThoughItsPeerDoesNotAnswer) {
  std::atomic<bool> asked = false;
  peer_.behave = [&](const v1::PipelineRequest& frame, v1::PipelineResponse* reply) {
    asked = true;
    asked.notify_all();
    peer_.AwaitRelease();
    StoreAll(frame, reply);
    return true;
  };
  grpc::ClientContext context;
  std::thread client([&] {
    v1::SetRequest request;
    request.set_key(KeyOf(1));
    v1::SetResponse response;
    EXPECT_EQ(members_[0].stub->Set(&context, request, &response).error_code(),
              grpc::StatusCode::CANCELLED);
  });
  asked.wait(false);
  EXPECT_EQ(GetAt(0, KeyOf(0)), "(none)");  // nobody else waits for it
  context.TryCancel();
  client.join();
  Stop(0);
}

TEST_F(OddPeerTest, AFrozenPeerCostsOnlyItsOwnKeys) {
  ASSERT_TRUE(SetAt(0, KeyOf(0), "v").ok());
  Freeze();
  const auto expect_error = [](const v1::OperationError& error) {
    EXPECT_EQ(error.code(), grpc::StatusCode::UNAVAILABLE) << error.message();
    EXPECT_EQ(error.reason(), v1::PEER_UNREACHABLE);
    EXPECT_EQ(error.metadata().at("node"), "node-1");
    EXPECT_EQ(error.metadata().at("executed"), "unknown");
  };
  const auto deadline = std::chrono::system_clock::now() + std::chrono::seconds(2);
  {
    grpc::ClientContext context;
    context.set_deadline(deadline);
    v1::MGetRequest request;
    request.add_keys(KeyOf(0));
    request.add_keys(KeyOf(1));
    v1::MGetResponse response;
    const grpc::Status status = members_[0].stub->MGet(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.results(0).value(), "v");
    ASSERT_EQ(response.errors_size(), 1);
    expect_error(response.errors(0).error());
  }
  // An operation of a frame has a time of its own.
  grpc::ClientContext context;
  v1::PipelineRequest frame;
  for (const std::string& key : {KeyOf(0), KeyOf(1)}) {
    v1::Operation* const operation = frame.add_operations();
    operation->mutable_get()->set_key(key);
    operation->set_timeout_ms(300);
  }
  const auto stream = members_[0].stub->Pipeline(&context);
  v1::PipelineResponse reply;
  ASSERT_TRUE(stream->Write(frame));
  ASSERT_TRUE(stream->Read(&reply));
  EXPECT_EQ(reply.results(0).get().value(), "v");
  expect_error(reply.results(1).error());
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(OddPeerTest, AnAnswerThatComesTooLateIsNotTakenForAnother) {
  std::atomic<bool> asked = false;
  peer_.behave = [&](const v1::PipelineRequest& frame, v1::PipelineResponse* reply) {
    if (!asked.exchange(true)) peer_.AwaitRelease();
    for (const v1::Operation& operation : frame.operations()) {
      reply->add_results()->mutable_get()->set_value(operation.get().key());
    }
    return true;
  };
  {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(2));
    v1::GetRequest request;
    request.set_key(KeyOf(1, 1));
    v1::GetResponse response;
    ExpectUnreachable(members_[0].stub->Get(&context, request, &response), "unknown");
  }
  peer_.Release();
  for (int i = 2; i < 5; ++i) {
    v1::GetRequest request;
    request.set_key(KeyOf(1, i));
    v1::GetResponse response;
    EXPECT_TRUE(CallAt(0, &Stub::Get, request, &response).ok());
    EXPECT_EQ(response.value(), KeyOf(1, i));
  }
  EXPECT_EQ(peer_.streams(), 1);
}

Settings WithLittlePatience() {
  Settings settings = TestSettings();
  settings.cluster.lease_ttl = absl::Milliseconds(200);
  return settings;
}

class SilentPeerTest : public OddPeerTest {
 protected:
  SilentPeerTest() : OddPeerTest(WithLittlePatience()) {}
};

TEST_F(SilentPeerTest, CallsWithoutADeadlineEndAndNewOnesAreRefusedUntilThePeerLives) {
  Freeze();
  ExpectUnreachable(SetAt(0, KeyOf(1), "v"), "unknown");
  const int frames = peer_.frames();
  for (int i = 0; i < 10; ++i) ExpectUnreachable(SetAt(0, KeyOf(1), "v"), "no");
  EXPECT_EQ(peer_.frames(), frames);
  EXPECT_EQ(peer_.probes(), 1);
  EXPECT_TRUE(SetAt(0, KeyOf(0), "v").ok());
  peer_.Release();
  while (!SetAt(0, KeyOf(1), "v").ok()) std::this_thread::yield();
}

TEST_F(SilentPeerTest, APeerThatIsOnlySlowIsWaitedFor) {
  std::atomic<bool> is_first = true;
  peer_.behave = [&](const v1::PipelineRequest& frame, v1::PipelineResponse* reply) {
    if (is_first.exchange(false)) peer_.AwaitRelease();
    StoreAll(frame, reply);
    return true;
  };
  std::thread client([&] { EXPECT_TRUE(SetAt(0, KeyOf(1), "v").ok()); });
  // It was asked twice whether it lives, which takes longer than a silent one is waited for.
  while (peer_.probes() < 3) std::this_thread::yield();
  peer_.Release();
  client.join();
  EXPECT_EQ(peer_.streams(), 1);
}

// Answers of others may take little room.
Settings WithLittleRoom() {
  Settings settings = TestSettings();
  settings.max_inflight_bytes = 7 << 20;
  return settings;
}

class CrowdedTest : public OddPeerTest {
 protected:
  CrowdedTest() : OddPeerTest(WithLittleRoom()) {}
};

TEST_F(CrowdedTest, WhatWasExecutedIsToldThoughThereIsNoRoomForValues) {
  peer_.behave = [](const v1::PipelineRequest& frame, v1::PipelineResponse* reply) {
    for (const v1::Operation& operation : frame.operations()) {
      v1::OperationResult* const result = reply->add_results();
      if (operation.has_incr()) result->mutable_incr()->set_value(7);
      if (operation.has_set()) {
        result->mutable_set()->set_stored(true);
        result->mutable_set()->mutable_previous()->set_value(std::string(200'000, 'p'));
      }
      if (operation.has_get()) result->mutable_get()->set_value(std::string(4 << 20, 'v'));
      if (operation.has_touch()) {
        result->mutable_error()->set_code(grpc::StatusCode::OUT_OF_RANGE);
        result->mutable_error()->set_message(std::string(300, 'e'));
        result->mutable_error()->set_reason(v1::TTL_OUT_OF_RANGE);
      }
    }
    return true;
  };
  // Somebody does not read a value that takes all of the room.
  grpc::ClientContext slow;
  const auto unread = members_[0].stub->Pipeline(&slow);
  v1::PipelineRequest large;
  large.add_operations()->mutable_get()->set_key(KeyOf(1));
  ASSERT_TRUE(unread->Write(large));
  v1::PipelineRequest frame;
  frame.add_operations()->mutable_incr()->set_key(KeyOf(1, 1));
  frame.add_operations()->mutable_get()->set_key(KeyOf(1, 2));
  frame.add_operations()->mutable_set()->set_key(KeyOf(1, 3));
  frame.add_operations()->mutable_touch()->set_key(KeyOf(1, 4));
  v1::PipelineResponse reply;
  do {  // until that value is there
    // Both values in one reply are too much for the lane, which ends.
    if (reply.results_size() > 0 && reply.results(1).error().reason() == v1::PEER_UNREACHABLE) {
      ASSERT_TRUE(unread->Write(large));
    }
    grpc::ClientContext context;
    const auto stub = v1::CacheService::NewStub(Connect(members_[0].address, -1));
    const auto stream = stub->Pipeline(&context);
    ASSERT_TRUE(stream->Write(frame));
    ASSERT_TRUE(stream->Read(&reply));
    stream->WritesDone();
    EXPECT_TRUE(stream->Finish().ok());
  } while (!reply.results(1).has_error() ||
           reply.results(1).error().reason() == v1::PEER_UNREACHABLE);
  EXPECT_EQ(reply.results(0).incr().value(), 7);
  EXPECT_EQ(reply.results(1).error().reason(), v1::OVERLOADED);
  EXPECT_EQ(reply.results(1).error().metadata().count("executed"), 0u);
  EXPECT_TRUE(reply.results(1).error().has_retry_pushback_ms());
  EXPECT_EQ(reply.results(2).error().reason(), v1::REPLY_TOO_LARGE);
  EXPECT_EQ(reply.results(2).error().metadata().at("executed"), "yes");
  EXPECT_EQ(reply.results(3).error().reason(), v1::TTL_OUT_OF_RANGE);
  slow.TryCancel();
  unread->Finish();
}

TEST_F(OddPeerTest, ARequestThatIsTooLargeForItsPeerCostsNobodyElseAnything) {
  peer_.end = ToGrpc(
      MakeError(absl::StatusCode::kInvalidArgument, v1::REQUEST_TOO_LARGE, "the limit is less"));
  peer_.behave = [this](const v1::PipelineRequest& frame, v1::PipelineResponse* reply) {
    if (frame.ByteSizeLong() > 1'000'000) {
      peer_.AwaitRelease();
      return false;
    }
    StoreAll(frame, reply);
    return true;
  };
  std::thread large([&] {
    const grpc::Status status = SetAt(0, KeyOf(1), std::string(1'000'000, 'v'));
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(InfoOf(status).reason(), "REQUEST_TOO_LARGE");
  });
  while (peer_.frames() == 0) std::this_thread::yield();
  // Behind it, on the same stream, and waiting for it.
  constexpr int kOthers = 5;
  std::vector<std::thread> others;
  for (int i = 0; i < kOthers; ++i) {
    others.emplace_back([this, i] {
      grpc::ClientContext context;
      v1::SetRequest request;
      request.set_key(KeyOf(1, i));
      v1::SetResponse response;
      const auto stub = v1::CacheService::NewStub(Connect(members_[0].address));
      const grpc::Status status = stub->Set(&context, request, &response);
      EXPECT_TRUE(status.ok()) << status.error_message();
    });
  }
  const auto admin = v1::AdminService::NewStub(Connect(members_[0].address));
  v1::StatsResponse stats;
  do {
    grpc::ClientContext context;
    ASSERT_TRUE(admin->Stats(&context, v1::StatsRequest(), &stats).ok());
  } while (stats.inflight_requests() < uint64_t{kOthers} + 1);
  peer_.Release();
  large.join();
  for (std::thread& other : others) other.join();
  EXPECT_EQ(peer_.streams(), 2);
}

TEST_F(OddPeerTest, OnlyATraceIsForwardedAsOne) {
  const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  std::string came;
  peer_.behave = [&](const v1::PipelineRequest& frame, v1::PipelineResponse* reply) {
    for (const v1::Operation& operation : frame.operations()) {
      came += operation.traceparent() + ";";
      reply->add_results()->mutable_get();
    }
    return true;
  };
  const auto read_with = [&](const std::string& text) {
    came.clear();
    grpc::ClientContext context;
    context.AddMetadata("traceparent", text);
    v1::MGetRequest request;
    request.add_keys(KeyOf(0));
    request.add_keys(KeyOf(1));
    request.add_keys(KeyOf(1, 1));
    v1::MGetResponse response;
    EXPECT_TRUE(members_[0].stub->MGet(&context, request, &response).ok());
    return came;
  };
  EXPECT_EQ(read_with(trace), trace + ";" + trace + ";");
  // What others have put there would be copied once for each key.
  EXPECT_EQ(read_with(std::string(7'000, 'x')), ";;");
  EXPECT_EQ(read_with("cc" + trace.substr(2) + "-" + std::string(7'000, 'x')), ";;");
}

TEST_F(OddPeerTest, WhatFoundNoRoomIsSentAgainTogether) {
  // Of each frame, the first half of the operations finds room.
  peer_.behave = [](const v1::PipelineRequest& frame, v1::PipelineResponse* reply) {
    for (int i = 0; i < frame.operations_size(); ++i) {
      v1::OperationResult* const result = reply->add_results();
      if (i <= frame.operations_size() / 2) {
        result->mutable_get()->set_found(true);
        result->mutable_get()->set_value(frame.operations(i).get().key());
      } else {
        result->mutable_error()->set_code(grpc::StatusCode::RESOURCE_EXHAUSTED);
        result->mutable_error()->set_reason(v1::REPLY_TOO_LARGE);
      }
    }
    return true;
  };
  v1::MGetRequest request;
  for (int i = 0; i < 100; ++i) request.add_keys(KeyOf(1, i));
  v1::MGetResponse response;
  const grpc::Status status = CallAt(0, &Stub::MGet, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(response.results_size(), 100);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(response.results(i).value(), request.keys(i));
  EXPECT_LE(peer_.frames(), 8);  // one for each half
}

TEST_F(OddPeerTest, WhatFoundNoRoomIsNotSentAgainOnceALaterFrameHasOvertakenIt) {
  std::vector<std::string> reads;
  peer_.behave = [&](const v1::PipelineRequest& frame, v1::PipelineResponse* reply) {
    peer_.AwaitRelease();
    for (const v1::Operation& operation : frame.operations()) {
      v1::OperationResult* const result = reply->add_results();
      if (operation.has_set()) {
        result->mutable_set()->set_stored(true);
        continue;
      }
      reads.push_back(operation.get().key());
      result->mutable_error()->set_code(grpc::StatusCode::RESOURCE_EXHAUSTED);
      result->mutable_error()->set_reason(v1::REPLY_TOO_LARGE);
    }
    return true;
  };
  grpc::ClientContext context;
  const auto stream = members_[0].stub->Pipeline(&context);
  v1::PipelineRequest read;
  read.add_operations()->mutable_get()->set_key(KeyOf(1));
  ASSERT_TRUE(stream->Write(read));
  v1::PipelineRequest write;
  for (const std::string& key : {KeyOf(0), KeyOf(1)}) {
    write.add_operations()->mutable_set()->set_key(key);
    write.mutable_operations()->rbegin()->mutable_set()->set_value("later");
  }
  ASSERT_TRUE(stream->Write(write));
  // The second frame is taken up while the first one waits.
  while (GetAt(0, KeyOf(0)) != "later") std::this_thread::yield();
  peer_.Release();
  v1::PipelineResponse reply;
  ASSERT_TRUE(stream->Read(&reply));
  ASSERT_EQ(reply.results_size(), 1);
  EXPECT_EQ(reply.results(0).error().reason(), v1::REPLY_TOO_LARGE);
  ASSERT_TRUE(stream->Read(&reply));
  ASSERT_EQ(reply.results_size(), 2);
  EXPECT_TRUE(reply.results(1).set().stored());
  EXPECT_EQ(reads.size(), 1u);
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(OddPeerTest, APeerThatNeverFindsRoomEndsTheCall) {
  peer_.behave = [](const v1::PipelineRequest& frame, v1::PipelineResponse* reply) {
    for (int i = 0; i < frame.operations_size(); ++i) {
      v1::OperationError* const error = reply->add_results()->mutable_error();
      error->set_code(grpc::StatusCode::RESOURCE_EXHAUSTED);
      error->set_reason(v1::REPLY_TOO_LARGE);
    }
    return true;
  };
  v1::MGetRequest request;
  for (int i = 0; i < 10; ++i) request.add_keys(KeyOf(1, i));
  v1::MGetResponse response;
  EXPECT_EQ(InfoOf(CallAt(0, &Stub::MGet, request, &response)).reason(), "REPLY_TOO_LARGE");
  GetAt(0, KeyOf(1));
  EXPECT_EQ(InfoOf(status_).reason(), "REPLY_TOO_LARGE");
}

}  // namespace
}  // namespace ferrite
