#include "tests/simulation/network.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "tests/simulation/sim_process.h"
#include "tests/simulation/world.h"

namespace ferrite::simulation {

using cluster::AskEtcd;
using cluster::EtcdReply;
using Outcome = EtcdReply::Outcome;

struct Network::Pending {
  std::shared_ptr<SimProcess> process;
  AskEtcd call;
  bool answered = false;
};

int64_t Network::Delay() {
  Random& random = world_.random();
  int64_t delay = random.Exponential(world_.scenario().delay_ns);
  if (random.Chance(spike_)) delay += random.Between(0, world_.scenario().spike_ns);
  return static_cast<int64_t>(static_cast<double>(delay) * slowness_) + 1000;
}

bool Network::Lost() { return world_.random().Chance(loss_); }

void Network::Send(const std::shared_ptr<SimProcess>& process, const AskEtcd& call) {
  ++calls_;
  const auto pending = std::make_shared<Pending>(Pending{process, call});
  const auto timeout_ns =
      static_cast<int64_t>(static_cast<double>(call.timeout_ns) / process->host()->rate);
  world_.queue().After(timeout_ns, [this, pending] {
    Answer(pending, {.call = pending->call.id, .outcome = Outcome::kUnknown, .error = "no answer"});
  });
  if (world_.history().records()) {
    const auto text =
        std::visit([](const auto& request) { return request.ShortDebugString(); }, call.request);
    world_.history().Add(world_.now_ns(), process->name(),
                         absl::StrFormat("#%d: %s", call.id, text));
  }
  const bool is_txn = std::holds_alternative<etcdserverpb::TxnRequest>(call.request);
  if (is_txn && process->host()->txns_lost) return;
  int64_t late_ns = 0;
  if (bad_moment_ && ChangesMap(call)) late_ns = std::exchange(bad_moment_, nullptr)();
  const bool twice = world_.random().Chance(duplication_);
  const auto arrive = [this, pending] { Arrive(pending); };
  if (!process->host()->requests_lost && !Lost()) world_.queue().After(late_ns + Delay(), arrive);
  // Whoever sends it again does so after a while.
  if (twice && !process->host()->requests_lost)
    world_.queue().After(Delay() + world_.random().Between(0, 2 * timeout_ns), arrive);
}

bool Network::ChangesMap(const AskEtcd& call) const {
  const auto* txn = std::get_if<etcdserverpb::TxnRequest>(&call.request);
  if (txn == nullptr || txn->success_size() != 1) return false;
  return txn->success(0).request_put().key() == world_.keys().map();
}

void Network::Arrive(const std::shared_ptr<Pending>& pending) {
  if (etcd_ == Etcd::kSilent) return;
  EtcdReply reply{.call = pending->call.id, .outcome = Outcome::kNotExecuted, .error = "refused"};
  if (etcd_ != Etcd::kRefuses) {
    reply = Execute(pending->call);
    if (world_.history().records()) {
      const auto text = std::visit(
          [](const auto& response) -> std::string {
            if constexpr (std::is_same_v<std::decay_t<decltype(response)>, std::monostate>)
              return "refused";
            else
              return response.ShortDebugString();
          },
          reply.response);
      world_.history().Add(
          world_.now_ns(), "etcd",
          absl::StrFormat("%s #%d: %s", pending->process->name(), pending->call.id, text));
    }
  }
  const SimHost& host = *pending->process->host();
  if (etcd_ == Etcd::kMute || host.replies_lost || Lost()) return;
  if (host.replies_garbled && world_.random().Chance(0.4)) Garble(&reply);
  world_.queue().After(
      Delay() + host.replies_late_ns,
      [this, pending, reply = std::move(reply)]() mutable { Answer(pending, std::move(reply)); });
}

void Network::Answer(const std::shared_ptr<Pending>& pending, EtcdReply reply) {
  if (pending->answered) return;
  pending->process->Do([pending, event = cluster::Event(std::move(reply))] {
    if (std::exchange(pending->answered, true)) return;
    pending->process->Step(event);
  });
}

EtcdReply Network::Execute(const AskEtcd& call) {
  SimEtcd& etcd = world_.etcd();
  EtcdReply reply{.call = call.id, .outcome = Outcome::kAnswered};
  const int64_t now_ns = world_.now_ns();
  bool done = false;
  if (const auto* txn = std::get_if<etcdserverpb::TxnRequest>(&call.request)) {
    done = etcd.Txn(*txn, &reply.response.emplace<etcdserverpb::TxnResponse>());
  } else if (const auto* grant = std::get_if<etcdserverpb::LeaseGrantRequest>(&call.request)) {
    done = etcd.Grant(*grant, now_ns, &reply.response.emplace<etcdserverpb::LeaseGrantResponse>());
  } else if (const auto* keep = std::get_if<etcdserverpb::LeaseKeepAliveRequest>(&call.request)) {
    done = etcd.KeepAlive(*keep, now_ns,
                          &reply.response.emplace<etcdserverpb::LeaseKeepAliveResponse>());
  } else if (const auto* revoke = std::get_if<etcdserverpb::LeaseRevokeRequest>(&call.request)) {
    done = etcd.Revoke(*revoke, &reply.response.emplace<etcdserverpb::LeaseRevokeResponse>());
  }
  if (!done) {
    reply.outcome = Outcome::kNotExecuted;
    reply.response = std::monostate();
    reply.error = "refused";
  }
  return reply;
}

void Network::Garble(EtcdReply* reply) {
  Random& random = world_.random();
  auto* txn = std::get_if<etcdserverpb::TxnResponse>(&reply->response);
  if (txn == nullptr || random.Chance(0.1)) {
    // An answer to something else.
    reply->response = etcdserverpb::LeaseRevokeResponse();
    return;
  }
  const auto some = [&]() -> etcdserverpb::ResponseOp* {
    if (txn->responses_size() == 0) return nullptr;
    return txn->mutable_responses(static_cast<int>(random.Below(txn->responses_size())));
  };
  switch (random.Below(6)) {
    case 0:
      txn->clear_responses();
      break;
    case 1:
      txn->clear_header();
      break;
    case 2:
      txn->mutable_header()->set_cluster_id(random.Next());
      break;
    case 3:
      if (auto* response = some()) response->mutable_response_put();
      break;
    case 4:
      if (auto* response = some()) response->mutable_response_range()->clear_kvs();
      break;
    case 5: {
      auto* response = some();
      if (response == nullptr || !response->has_response_range()) break;
      for (auto& kv : *response->mutable_response_range()->mutable_kvs()) {
        std::string value(random.Below(200), '\0');
        for (char& letter : value) letter = static_cast<char>(random.Next());
        kv.set_value(value);
      }
      break;
    }
  }
}

void Network::Tell(const mvccpb::Event& event) {
  told_.push_back(std::make_shared<const cluster::Event>(cluster::WatchHint{event}));
  if (told_.size() > kRemembered) told_.pop_front();
  for (const auto& host : world_.hosts()) {
    const auto process = host->process;
    if (process == nullptr || !process->alive() || host->replies_lost || host->watch_silent ||
        Lost())
      continue;
    const auto tell = [this, process](const std::shared_ptr<const cluster::Event>& told) {
      world_.queue().After(
          Delay(), [process, told] { process->Do([process, told] { process->Step(*told); }); });
    };
    tell(told_.back());
    // What was told before, once more.
    if (host->watch_replays) tell(told_[world_.random().Below(told_.size())]);
  }
}

}  // namespace ferrite::simulation
