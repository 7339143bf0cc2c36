// Calls about many keys, and frames, through any node of a cluster.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/server/routing/nodes_fixture.h"

namespace ferrite {
namespace {

class RoutedBatchTest : public NodesTest {
 protected:
  // Keys of all nodes in turn.
  std::vector<std::string> MixedKeys(int count) {
    std::vector<std::string> keys;
    for (int i = 0; i < count; ++i) keys.push_back(KeyOf(static_cast<size_t>(i % 3), i));
    return keys;
  }
  v1::MSetResponse MSetAt(size_t node, const std::vector<std::string>& keys,
                          const std::string& value) {
    v1::MSetRequest request;
    for (size_t i = 0; i < keys.size(); ++i) {
      v1::SetRequest* const entry = request.add_entries();
      entry->set_key(keys[i]);
      entry->set_value(value + std::to_string(i));
    }
    v1::MSetResponse response;
    status_ = CallAt(node, &Stub::MSet, request, &response);
    return response;
  }
  v1::MGetResponse MGetAt(size_t node, const std::vector<std::string>& keys, bool direct = false) {
    v1::MGetRequest request;
    for (const std::string& key : keys) request.add_keys(key);
    v1::MGetResponse response;
    status_ = CallAt(node, &Stub::MGet, request, &response, direct);
    return response;
  }
  // Sends one frame on a stream of its own.
  v1::PipelineResponse FrameAt(size_t node, const v1::PipelineRequest& frame, bool direct = false) {
    grpc::ClientContext context;
    if (direct) context.AddMetadata("ferrite-route", "direct");
    const auto stream = members_[node].stub->Pipeline(&context);
    v1::PipelineResponse reply;
    EXPECT_TRUE(stream->Write(frame));
    EXPECT_TRUE(stream->Read(&reply));
    stream->WritesDone();
    EXPECT_TRUE(stream->Finish().ok());
    return reply;
  }
};

TEST_F(RoutedBatchTest, BatchesAreSplitAndPutTogetherInOrder) {
  const std::vector<std::string> keys = MixedKeys(100);
  for (size_t through = 0; through < 3; ++through) {
    const v1::MSetResponse written = MSetAt(through, keys, "v" + std::to_string(through) + "-");
    ASSERT_TRUE(status_.ok()) << status_.error_message();
    ASSERT_EQ(written.results_size(), 100);
    for (const v1::MSetResult& result : written.results()) EXPECT_TRUE(result.response().stored());
    std::vector<std::string> asked = keys;
    asked.insert(asked.begin() + 50, KeyOf(1, 1000));  // is not there
    const v1::MGetResponse read = MGetAt((through + 1) % 3, asked);
    ASSERT_TRUE(status_.ok()) << status_.error_message();
    ASSERT_EQ(read.results_size(), 101);
    EXPECT_EQ(read.errors_size(), 0);
    for (int i = 0; i < 101; ++i) {
      const int key = i < 50 ? i : i - 1;
      EXPECT_EQ(read.results(i).found(), i != 50);
      if (i == 50) continue;
      EXPECT_EQ(read.results(i).value(), "v" + std::to_string(through) + "-" + std::to_string(key));
      EXPECT_GT(read.results(i).version(), 0u);
    }
  }
  v1::MDeleteRequest remove;
  v1::ExistsRequest exists;
  for (int i = 0; i < 20; i += 2) remove.add_keys(keys[static_cast<size_t>(i)]);
  remove.add_keys(keys[0]);
  for (int i = 0; i < 20; ++i) exists.add_keys(keys[static_cast<size_t>(i)]);
  v1::MDeleteResponse removed;
  ASSERT_TRUE(CallAt(2, &Stub::MDelete, remove, &removed).ok());
  ASSERT_EQ(removed.deleted_size(), 11);
  for (int i = 0; i < 11; ++i) EXPECT_EQ(removed.deleted(i), i < 10) << i;
  v1::ExistsResponse there;
  ASSERT_TRUE(CallAt(1, &Stub::Exists, exists, &there).ok());
  ASSERT_EQ(there.exists_size(), 20);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(there.exists(i), i % 2 == 1) << i;
}

TEST_F(RoutedBatchTest, OnlyTheKeysOfAPeerThatIsGoneFail) {
  const std::vector<std::string> keys = MixedKeys(9);
  MSetAt(0, keys, "v");
  Stop(2);
  const v1::MGetResponse read = MGetAt(0, keys);
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  ASSERT_EQ(read.results_size(), 9);
  ASSERT_EQ(read.errors_size(), 3);
  for (int i = 0; i < 9; ++i) EXPECT_EQ(read.results(i).found(), i % 3 != 2);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(read.errors(i).index(), static_cast<uint32_t>(3 * i + 2));
    EXPECT_EQ(read.errors(i).error().code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(read.errors(i).error().reason(), v1::PEER_UNREACHABLE);
    EXPECT_EQ(read.errors(i).error().metadata().at("node"), "node-2");
  }
  const v1::MSetResponse written = MSetAt(0, keys, "w");
  for (int i = 0; i < 9; ++i) EXPECT_EQ(written.results(i).has_error(), i % 3 == 2);
  // Where no key has an answer, the call has none.
  MGetAt(0, {KeyOf(2), KeyOf(2, 1)});
  EXPECT_EQ(status_.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(InfoOf(status_).reason(), "PEER_UNREACHABLE");
}

TEST_F(RoutedBatchTest, BadBatchesChangeNothing) {
  v1::MSetRequest request;
  request.add_entries()->set_key(KeyOf(0));
  request.add_entries()->set_key(KeyOf(1));
  request.mutable_entries(1)->set_ttl_ms(-1);
  v1::MSetResponse response;
  EXPECT_EQ(InfoOf(CallAt(0, &Stub::MSet, request, &response)).reason(), "TTL_OUT_OF_RANGE");
  EXPECT_EQ(GetAt(0, KeyOf(0)), "(none)");
  EXPECT_EQ(GetAt(0, KeyOf(1)), "(none)");
  MGetAt(0, {});
  EXPECT_EQ(InfoOf(status_).reason(), "BATCH_EMPTY");
  MGetAt(0, {KeyOf(1), ""});
  EXPECT_EQ(InfoOf(status_).reason(), "KEY_EMPTY");
  MGetAt(0, std::vector<std::string>(1025, KeyOf(1)));
  EXPECT_EQ(InfoOf(status_).reason(), "BATCH_TOO_LARGE");
}

TEST_F(RoutedBatchTest, ReadsOfLargeValuesFitAsOnOneNode) {
  const std::string value(900'000, 'v');
  std::vector<std::string> keys;
  for (int i = 0; i < 6; ++i) keys.push_back(KeyOf(1, i));
  for (const std::string& key : keys) ASSERT_TRUE(SetAt(0, key, value).ok());
  keys.insert(keys.begin() + 2, KeyOf(0));
  // Four values fit into 3.5 MiB, whichever node is asked.
  const v1::MGetResponse four = MGetAt(0, {keys[0], keys[1], keys[2], keys[3]});
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  EXPECT_EQ(four.results(3).value(), value);
  for (size_t through : {1, 0}) {
    MGetAt(through, keys);
    EXPECT_EQ(InfoOf(status_).reason(), "REPLY_TOO_LARGE");
    EXPECT_EQ(InfoOf(status_).metadata().at("fitting_keys"), "5") << through;
  }
}

TEST_F(RoutedBatchTest, WhoRoutesHimselfLearnsWhichKeysHaveMoved) {
  const v1::MGetResponse read = MGetAt(0, {KeyOf(0), KeyOf(1)}, /*direct=*/true);
  ASSERT_TRUE(status_.ok());
  ASSERT_EQ(read.errors_size(), 1);
  EXPECT_EQ(read.errors(0).index(), 1u);
  EXPECT_EQ(read.errors(0).error().reason(), v1::SLOT_MOVED);
  EXPECT_EQ(read.errors(0).error().metadata().at("owner"), "node-1");
}

TEST_F(RoutedBatchTest, FramesAreSplitAndKeepTheOrderOfEachKey) {
  v1::PipelineRequest frame;
  const std::vector<std::string> keys = MixedKeys(30);
  for (int round = 0; round < 10; ++round) {
    for (const std::string& key : keys) frame.add_operations()->mutable_incr()->set_key(key);
  }
  frame.add_operations()->mutable_exists()->add_keys(keys[1]);
  frame.add_operations()->mutable_exists()->add_keys(KeyOf(1, 1000));
  frame.add_operations();
  for (size_t through = 0; through < 3; ++through) {
    const v1::PipelineResponse reply = FrameAt(through, frame);
    ASSERT_EQ(reply.results_size(), 303);
    for (int i = 0; i < 300; ++i) {
      ASSERT_TRUE(reply.results(i).has_incr()) << reply.results(i).ShortDebugString();
      EXPECT_EQ(reply.results(i).incr().value(), static_cast<int>(through) * 10 + i / 30 + 1);
    }
    EXPECT_TRUE(reply.results(300).exists().exists(0));
    EXPECT_FALSE(reply.results(301).exists().exists(0));
    EXPECT_EQ(reply.results(302).error().reason(), v1::OPERATION_UNKNOWN);
  }
}

TEST_F(RoutedBatchTest, AnOperationWithTwoRequestsIsExecutedNowhere) {
  // Whoever merges them finds another key than whoever reads the first.
  v1::Operation first;
  first.mutable_set()->set_key(KeyOf(0));
  v1::Operation second;
  second.mutable_set()->set_key(KeyOf(1));
  std::string both = first.SerializeAsString() + second.SerializeAsString();
  std::string bytes = "\x0A";
  bytes += static_cast<char>(both.size());
  bytes += both;
  v1::PipelineRequest frame;
  ASSERT_TRUE(frame.ParseFromString(bytes));
  grpc::ClientContext context;
  // As bytes: a message of protobuf's would merge them before they are sent.
  grpc::internal::RpcMethod method("/ferrite.v1.CacheService/Pipeline",
                                   grpc::internal::RpcMethod::BIDI_STREAMING);
  const auto channel = Connect(members_[0].address);
  const std::unique_ptr<grpc::ClientReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>> stream(
      grpc::internal::ClientReaderWriterFactory<grpc::ByteBuffer, grpc::ByteBuffer>::Create(
          channel.get(), method, &context));
  const grpc::Slice slice(bytes);
  ASSERT_TRUE(stream->Write(grpc::ByteBuffer(&slice, 1)));
  grpc::ByteBuffer buffer;
  ASSERT_TRUE(stream->Read(&buffer));
  grpc::Slice received;
  ASSERT_TRUE(buffer.DumpToSingleSlice(&received).ok());
  v1::PipelineResponse reply;
  ASSERT_TRUE(reply.ParseFromArray(received.begin(), static_cast<int>(received.size())));
  EXPECT_EQ(reply.results(0).error().reason(), v1::OPERATION_UNKNOWN);
  stream->WritesDone();
  stream->Finish();
  EXPECT_EQ(GetAt(0, KeyOf(0)), "(none)");
  EXPECT_EQ(GetAt(1, KeyOf(1)), "(none)");
}

TEST_F(RoutedBatchTest, OperationsOfAFrameHaveTheirOwnOutcomes) {
  Stop(2);
  const uint32_t slot = SlotOf(KeyOf(0, 5));
  const auto view = ViewOf(0);
  view->Assign(slot, slot, {Place::kReleasing, 0});
  members_[0].view.Publish(view);
  v1::PipelineRequest frame;
  for (const std::string& key : {KeyOf(0), KeyOf(0, 5), KeyOf(1), KeyOf(2)}) {
    frame.add_operations()->mutable_get()->set_key(key);
  }
  frame.add_operations()->mutable_get()->set_key(KeyOf(1));
  frame.mutable_operations(4)->set_timeout_ms(0);
  const v1::PipelineResponse reply = FrameAt(0, frame);
  ASSERT_EQ(reply.results_size(), 5);
  EXPECT_TRUE(reply.results(0).has_get());
  EXPECT_EQ(reply.results(1).error().reason(), v1::SLOT_IN_TRANSITION);
  EXPECT_GT(reply.results(1).error().retry_pushback_ms(), 0);
  EXPECT_TRUE(reply.results(2).has_get());
  EXPECT_EQ(reply.results(3).error().reason(), v1::PEER_UNREACHABLE);
  EXPECT_EQ(reply.results(4).error().reason(), v1::DEADLINE_PASSED);
  const v1::PipelineResponse direct = FrameAt(0, frame, /*direct=*/true);
  EXPECT_EQ(direct.results(2).error().reason(), v1::SLOT_MOVED);
}

TEST_F(RoutedBatchTest, LargeFramesAndValuesAreForwarded) {
  v1::PipelineRequest frame;
  for (int i = 0; i < 6; ++i) {
    v1::SetRequest* const set = frame.add_operations()->mutable_set();
    set->set_key(KeyOf(static_cast<size_t>(i % 3), i));
    set->set_value(std::string(600'000, static_cast<char>('a' + i)));
  }
  const v1::PipelineResponse reply = FrameAt(0, frame);
  ASSERT_EQ(reply.results_size(), 6);
  for (int i = 0; i < 6; ++i) {
    EXPECT_TRUE(reply.results(i).set().stored());
    EXPECT_EQ(GetAt(1, KeyOf(static_cast<size_t>(i % 3), i)), frame.operations(i).set().value());
  }
}

// A view that changes all the time: every operation either has its own result or says why not, and
// nobody serves what is another's.
// As on one node, whatever the answers before it take.
TEST_F(RoutedBatchTest, AnErrorInAFullReplyStaysWhatItIs) {
  constexpr size_t kLarge = 1'000'000;
  constexpr size_t kLimit = (size_t{7} << 20) / 2;
  v1::PipelineRequest frame;
  size_t left = kLimit - 300;
  for (int i = 0; left > 0; ++i) {
    const size_t size = std::min(left, kLarge);
    ASSERT_TRUE(SetAt(1, KeyOf(1, i), std::string(size, 'v')).ok());
    frame.add_operations()->mutable_get()->set_key(KeyOf(1, i));
    left -= size;
  }
  const int values = frame.operations_size();
  v1::SetRequest* const set = frame.add_operations()->mutable_set();
  set->set_key(KeyOf(2));
  set->set_value(std::string(settings_.max_value_bytes + 1, 'v'));
  const v1::PipelineResponse reply = FrameAt(0, frame);
  ASSERT_EQ(reply.results_size(), values + 1);
  for (int i = 0; i < values; ++i) EXPECT_TRUE(reply.results(i).has_get()) << i;
  const v1::OperationError& error = reply.results(values).error();
  EXPECT_EQ(error.reason(), v1::VALUE_TOO_LARGE) << error.ShortDebugString();
  EXPECT_GT(error.ByteSizeLong(), 128u);  // as much as a value may have
}

TEST_F(RoutedBatchTest, FramesSurviveChangesOfTheView) {
  std::atomic<bool> stop = false;
  std::thread changer([&] {
    while (!stop) {
      for (int i = 0; i < 3; ++i) {
        const auto view = ViewOf(static_cast<size_t>(i));
        view->Assign(0, kSlotCount / 2, {Place::kReleasing, 0});
        members_[static_cast<size_t>(i)].view.Publish(view);
      }
      PublishThirds();
      members_[0].right.Set(0);
      members_[0].right.Set(std::numeric_limits<int64_t>::max());
    }
  });
  v1::PipelineRequest frame;
  for (const std::string& key : MixedKeys(60)) {
    frame.add_operations()->mutable_incr()->set_key(key);
  }
  int executed = 0;
  for (int round = 0; round < 200; ++round) {
    const v1::PipelineResponse reply = FrameAt(static_cast<size_t>(round % 3), frame);
    ASSERT_EQ(reply.results_size(), 60);
    for (const v1::OperationResult& result : reply.results()) {
      if (result.has_incr()) {
        ++executed;
      } else {
        EXPECT_TRUE(result.error().reason() == v1::SLOT_IN_TRANSITION ||
                    result.error().reason() == v1::LEASE_LOST)
            << result.ShortDebugString();
      }
    }
  }
  stop = true;
  changer.join();
  EXPECT_GT(executed, 0);
}

}  // namespace
}  // namespace ferrite
