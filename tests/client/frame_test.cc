// The frames that `ferrite bench` sends, and how it counts replies.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "client/channel.h"
#include "client/cli/bench/frame_lane.h"
#include "client/cli/bench/frame_reply.h"
#include "client/cli/bench/frame_writer.h"
#include "ferrite/v1/cache.pb.h"
#include "tests/client/silent_port.h"

namespace ferrite::cli {
namespace {

using Kind = Workload::Kind;

BenchOptions FrameOptions(BenchOp op) {
  BenchOptions options;
  options.mode = BenchMode::kPipeline;
  options.op = op;
  options.batch = 50;
  options.value_size = 300;  // its length takes two bytes
  return options;
}

// `bytes` as gRPC might have received it: in pieces of that size.
grpc::ByteBuffer InPieces(const std::string& bytes, size_t piece_bytes) {
  std::vector<grpc::Slice> pieces;
  for (size_t at = 0; at < bytes.size(); at += piece_bytes) {
    pieces.emplace_back(bytes.substr(at, piece_bytes));
  }
  return grpc::ByteBuffer(pieces.data(), pieces.size());
}

std::string Flat(const grpc::ByteBuffer& buffer) {
  grpc::Slice slice;
  EXPECT_TRUE(buffer.DumpToSingleSlice(&slice).ok());
  return std::string(slice.begin(), slice.end());
}

TEST(FrameWriterTest, WritesWhatTheWorkloadDraws) {
  for (const BenchOp op : {BenchOp::kGet, BenchOp::kSet, BenchOp::kIncr, BenchOp::kMixed}) {
    const BenchOptions options = FrameOptions(op);
    Workload workload(options, 1);
    Workload same(options, 1);
    FrameWriter writer(options);
    v1::PipelineRequest frame;
    ASSERT_TRUE(frame.ParseFromString(Flat(writer.Write(&workload))));
    ASSERT_EQ(frame.operations_size(), options.batch);
    for (const Kind expected : writer.kinds()) EXPECT_EQ(same.NextKind(), expected);
    for (int i = 0; i < options.batch; ++i) {
      const v1::Operation& operation = frame.operations(i);
      std::string key;
      switch (writer.kinds()[i]) {
        case Kind::kGet:
          same.NextKey(&key);
          EXPECT_EQ(operation.get().key(), key);
          break;
        case Kind::kSet:
          same.NextKey(&key);
          EXPECT_EQ(operation.set().key(), key);
          EXPECT_EQ(operation.set().value().size(), 300u);
          break;
        case Kind::kIncr:
          same.NextCounterKey(&key);
          EXPECT_EQ(operation.incr().key(), key);
          break;
        default:
          ADD_FAILURE() << "not an operation of a frame";
      }
    }
  }
}

// A hit, a miss, a write, a counter, a read and a write that failed.
const std::vector<Kind> kKinds = {Kind::kGet,  Kind::kGet, Kind::kSet,
                                  Kind::kIncr, Kind::kGet, Kind::kSet};
std::string SomeReply() {
  v1::PipelineResponse reply;
  v1::GetResponse* const hit = reply.add_results()->mutable_get();
  hit->set_found(true);
  hit->set_value(std::string(300, 'v'));
  hit->set_version(7);
  reply.add_results()->mutable_get();
  reply.add_results()->mutable_set()->set_stored(true);
  reply.add_results()->mutable_incr()->set_value(-1);
  v1::OperationError error;
  error.set_code(grpc::StatusCode::RESOURCE_EXHAUSTED);
  error.set_message(std::string(200, 'm'));
  *reply.add_results()->mutable_error() = error;
  error.set_code(grpc::StatusCode::INVALID_ARGUMENT);
  *reply.add_results()->mutable_error() = error;
  return reply.SerializeAsString();
}

TEST(FrameReplyTest, CountsOutcomesWhereverThePiecesEnd) {
  for (const size_t piece_bytes : {1, 2, 3, 7, 100, 1000}) {
    const auto counts = CountReply(InPieces(SomeReply(), piece_bytes), kKinds);
    ASSERT_TRUE(counts.has_value());
    EXPECT_EQ(counts->reads.done, 2u);
    EXPECT_EQ(counts->reads.hits, 1u);
    EXPECT_EQ(counts->reads.errors[grpc::StatusCode::RESOURCE_EXHAUSTED], 1u);
    EXPECT_EQ(counts->writes.done, 2u);
    EXPECT_EQ(counts->writes.errors[grpc::StatusCode::INVALID_ARGUMENT], 1u);
  }
}

TEST(FrameReplyTest, KnowsAReplyToSomethingElse) {
  const std::string reply = SomeReply();
  auto kinds = kKinds;
  kinds[2] = Kind::kGet;
  EXPECT_FALSE(CountReply(InPieces(reply, 100), kinds).has_value());
  kinds = kKinds;
  kinds.pop_back();
  EXPECT_FALSE(CountReply(InPieces(reply, 100), kinds).has_value());
  kinds = kKinds;
  kinds.push_back(Kind::kGet);
  EXPECT_FALSE(CountReply(InPieces(reply, 100), kinds).has_value());
  for (size_t size = 0; size < reply.size(); ++size) {
    EXPECT_FALSE(CountReply(InPieces(reply.substr(0, size), 100), kKinds).has_value()) << size;
  }
}

TEST(FrameLaneTest, AFrameWithoutAReplyFailsInTheEnd) {
  const SilentPort port;
  BenchOptions options = FrameOptions(BenchOp::kSet);
  options.call_timeout = absl::Seconds(100);
  Workload workload(options, 1);
  grpc::CompletionQueue queue;
  grpc::GenericStub stub(MakeChannel(port.address(), {}));
  FrameLane lane(&options, &stub, &queue);
  lane.BeginCall(&workload, true);
  lane.CancelIfOverdue(FrameLane::Clock::now());  // not yet
  lane.CancelIfOverdue(FrameLane::Clock::now() + std::chrono::seconds(101));
  void* tag;
  bool ok;
  do {
    ASSERT_TRUE(queue.Next(&tag, &ok));
    ASSERT_EQ(tag, static_cast<Flight*>(&lane));
  } while (!lane.Proceed(ok));
  Tallies tallies;
  lane.Count(&tallies);
  EXPECT_EQ(tallies.writes.errors[grpc::StatusCode::DEADLINE_EXCEEDED], 1u);
}

}  // namespace
}  // namespace ferrite::cli
