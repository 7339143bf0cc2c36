// Reads from the nodes of a cluster: every key from its owner, or from any node.
//
// It tells how many keys it has read in which time. What that costs the nodes is for bench/cluster
// to find out; how fast it is says little, as it makes its frames of messages.

#include <grpcpp/create_channel.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "CLI/CLI.hpp"
#include "ferrite/v1/cache.grpc.pb.h"
#include "ferrite/v1/cluster.grpc.pb.h"
#include "nlohmann/json.hpp"
#include "proto/slot.h"

namespace ferrite {
namespace {

using Clock = std::chrono::steady_clock;

struct Arguments {
  std::vector<std::string> nodes;
  bool any_node = false;
  bool unary = false;
  bool fill = false;
  int in_flight = 16;  // frames or calls, at each node
  int batch = 64;
  int keys = 100'000;
  int key_size = 16;
  int value_size = 64;
  double seconds = 1;
};

// One for each node.
struct Tally {
  uint64_t keys = 0;
  uint64_t failed = 0;  // errors and misses
};

std::string KeyOf(int number, int size) {
  const std::string digits = std::to_string(number);
  return "k" + std::string(static_cast<size_t>(size) - 1 - digits.size(), '0') + digits;
}

[[noreturn]] void Die(const std::string& what) {
  std::fprintf(stderr, "bench-cluster-load: %s\n", what.c_str());
  std::exit(1);
}

// A connection to a node, and the keys that it is asked for.
class Lane {
 public:
  Lane(const std::string& address, const Arguments& arguments)
      : arguments_(arguments),
        channel_(grpc::CreateChannel(address, grpc::InsecureChannelCredentials())),
        stub_(v1::CacheService::NewStub(channel_)) {}

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  std::vector<std::string>& keys() { return keys_; }
  const Tally& tally() const { return tally_; }

  // Writes each of its keys once.
  void Fill() {
    grpc::ClientContext context;
    const auto stream = stub_->Pipeline(&context);
    const std::string value(static_cast<size_t>(arguments_.value_size), 'v');
    for (size_t first = 0; first < keys_.size(); first += 256) {
      v1::PipelineRequest frame;
      for (size_t i = first; i < std::min(keys_.size(), first + 256); ++i) {
        v1::SetRequest* const set = frame.add_operations()->mutable_set();
        set->set_key(keys_[i]);
        set->set_value(value);
      }
      v1::PipelineResponse reply;
      if (!stream->Write(frame) || !stream->Read(&reply)) Die(stream->Finish().error_message());
      for (const v1::OperationResult& result : reply.results()) {
        if (!result.has_set()) Die("a key could not be written: " + result.error().message());
      }
    }
    stream->WritesDone();
    stream->Finish();
  }

  void ReadFrames(Clock::time_point end) {
    grpc::ClientContext context;
    const auto stream = stub_->Pipeline(&context);
    v1::PipelineRequest frame;
    v1::PipelineResponse reply;
    const auto write = [&] {
      frame.Clear();
      for (int i = 0; i < arguments_.batch; ++i) {
        frame.add_operations()->mutable_get()->set_key(AnyKey(&random_));
      }
      if (!stream->Write(frame)) Die("a stream has ended");
    };
    int in_flight = 0;
    for (; in_flight < arguments_.in_flight; ++in_flight) write();
    while (in_flight > 0) {
      if (!stream->Read(&reply)) Die(stream->Finish().error_message());
      tally_.keys += static_cast<uint64_t>(reply.results_size());
      for (const v1::OperationResult& result : reply.results()) {
        tally_.failed += !result.has_get() || !result.get().found();
      }
      Clock::now() < end ? write() : static_cast<void>(--in_flight);
    }
    stream->WritesDone();
    stream->Finish();
  }

  void ReadOneByOne(Clock::time_point end) {
    struct Call {
      std::unique_ptr<grpc::ClientContext> context;
      std::unique_ptr<grpc::ClientAsyncResponseReader<v1::GetResponse>> reader;
      v1::GetResponse response;
      grpc::Status status;
    };
    grpc::CompletionQueue queue;
    std::vector<Call> calls(static_cast<size_t>(arguments_.in_flight));
    const auto start = [&](Call* call) {
      v1::GetRequest request;
      request.set_key(AnyKey(&random_));
      call->context = std::make_unique<grpc::ClientContext>();
      call->reader = stub_->AsyncGet(call->context.get(), request, &queue);
      call->reader->Finish(&call->response, &call->status, call);
    };
    for (Call& call : calls) start(&call);
    void* tag;
    bool ok;
    for (size_t in_flight = calls.size(); in_flight > 0 && queue.Next(&tag, &ok);) {
      auto* const call = static_cast<Call*>(tag);
      ++tally_.keys;
      tally_.failed += !call->status.ok() || !call->response.found();
      Clock::now() < end ? start(call) : static_cast<void>(--in_flight);
    }
    queue.Shutdown();
  }

 private:
  const std::string& AnyKey(std::minstd_rand* random) const {
    return keys_[(*random)() % keys_.size()];
  }

  const Arguments& arguments_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::CacheService::Stub> stub_;
  std::vector<std::string> keys_;
  std::minstd_rand random_{7};
  Tally tally_;
};

v1::Topology TopologyOf(Lane* lane) {
  const auto stub = v1::ClusterService::NewStub(lane->channel());
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  v1::GetTopologyResponse response;
  const grpc::Status status = stub->GetTopology(&context, {}, &response);
  if (!status.ok()) Die("no topology: " + status.error_message());
  return std::move(*response.mutable_topology());
}

// Which lane leads to the owner of each slot.
std::vector<Lane*> OwnersOf(const Arguments& arguments, std::vector<std::unique_ptr<Lane>>* lanes) {
  const v1::Topology topology = TopologyOf(lanes->front().get());
  std::vector<Lane*> owners(kSlotCount, nullptr);
  for (const v1::TopologySlots& slots : topology.slots()) {
    const std::string& address = topology.nodes(static_cast<int>(slots.owner())).address();
    size_t lane = 0;  // a node of no cluster tells no address
    while (!address.empty() && arguments.nodes[lane] != address) {
      if (++lane == arguments.nodes.size()) Die("--nodes lacks " + address);
    }
    for (uint32_t slot = slots.first(); slot <= slots.last(); ++slot) {
      owners[slot] = (*lanes)[lane].get();
    }
  }
  return owners;
}

int Run(const Arguments& arguments) {
  std::vector<std::unique_ptr<Lane>> lanes;
  for (const std::string& node : arguments.nodes) {
    lanes.push_back(std::make_unique<Lane>(node, arguments));
  }
  const std::vector<Lane*> owners = OwnersOf(arguments, &lanes);
  for (int number = 0; number < arguments.keys; ++number) {
    const std::string key = KeyOf(number, arguments.key_size);
    if (arguments.any_node) {
      for (const auto& lane : lanes) lane->keys().push_back(key);
    } else {
      Lane* const owner = owners[SlotOf(key)];
      if (owner == nullptr) Die("a slot has no owner");
      owner->keys().push_back(key);
    }
  }
  const Clock::time_point start = Clock::now();
  const auto end = start + std::chrono::duration_cast<Clock::duration>(
                               std::chrono::duration<double>(arguments.seconds));
  std::vector<std::thread> threads;
  for (const auto& lane : lanes) {
    threads.emplace_back([&arguments, end, lane = lane.get()] {
      if (arguments.fill) return lane->Fill();
      arguments.unary ? lane->ReadOneByOne(end) : lane->ReadFrames(end);
    });
  }
  for (std::thread& thread : threads) thread.join();
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  Tally all;
  for (const auto& lane : lanes) {
    all.keys += lane->tally().keys;
    all.failed += lane->tally().failed;
  }
  const nlohmann::json report = {{"keys", all.keys}, {"failed", all.failed}, {"seconds", seconds}};
  std::puts(report.dump().c_str());
  return 0;
}

}  // namespace
}  // namespace ferrite

int main(int argc, char** argv) {
  ferrite::Arguments arguments;
  CLI::App app("Reads keys from the nodes of a cluster.");
  app.add_option("--nodes", arguments.nodes, "their addresses")->delimiter(',')->required();
  app.add_flag("--any-node", arguments.any_node, "ask any node for any key");
  app.add_flag("--unary", arguments.unary, "a call for each key; else frames");
  app.add_flag("--fill", arguments.fill, "write each key once, instead");
  app.add_option("--in-flight", arguments.in_flight, "frames or calls at each node");
  app.add_option("--batch", arguments.batch, "operations of a frame");
  app.add_option("--keys", arguments.keys, "how many there are");
  app.add_option("--key-size", arguments.key_size, "of each, in bytes");
  app.add_option("--value-size", arguments.value_size, "of each value, in bytes");
  app.add_option("--seconds", arguments.seconds, "how long to read");
  CLI11_PARSE(app, argc, argv);
  return ferrite::Run(arguments);
}
