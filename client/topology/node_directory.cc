#include "client/topology/node_directory.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "client/retry.h"

namespace ferrite {
namespace {

// A watch that has not told of a map within this time of another node's doing so is left behind.
constexpr std::chrono::milliseconds kPatienceWithWatch(250);
// While all nodes are cut off, the watch does not wander among them more often than this.
constexpr std::chrono::seconds kPauseAfterCutOff(1);
// A call that meets so many nodes that retire just now, one after the other, goes alone.
constexpr int kMostRestarts = 3;

}  // namespace

NodeDirectory::NodeDirectory(const ClientOptions& options, const Credentials& credentials,
                             const Threads& threads)
    : options_(options),
      threads_(threads),
      around_{.options = options, .credentials = credentials, .threads = threads, .router = this},
      has_choice_(options.seeds.size() > 1),
      // So that clients that start together spread over the nodes.
      turn_(static_cast<size_t>(RandomChance() * kSlotCount)) {
  for (const std::string& seed : options.seeds) {
    seeds_.push_back(std::make_shared<KnownNode>(seed, around_));
  }
  if (options.routing == RoutingMode::kAnyNode) lone_.store(seeds_.front().get());
}

std::shared_ptr<const Picture> NodeDirectory::picture() const {
  MutexLock lock(&mutex_);
  return picture_;
}

Placement NodeDirectory::PlaceByPicture(const CallRoute& route) {
  if (route.to == CallRoute::To::kSeed) return {.node = SeedInUse()};
  std::shared_ptr<const Picture> picture;
  {
    MutexLock lock(&mutex_);
    picture = picture_;
    if (picture == nullptr) {
      StartWatch();
      lone_.store(SeedInUse(), std::memory_order_release);
    }
  }
  if (picture == nullptr) return {.node = SeedInUse()};
  const bool is_of_slot = route.to != CallRoute::To::kAny;
  const bool is_newer = route.moves > 0 && route.moved_epoch > picture->version().epoch;
  KnownNode* const owner = !is_of_slot ? nullptr
                           : is_newer  ? picture->NodeAt(route.moved_to)
                                       : picture->OwnerOf(route.slot);
  if (owner != nullptr && !owner->IsDown()) {
    return {owner, route.to == CallRoute::To::kOwner, std::move(picture)};
  }
  KnownNode* const any = AnyOf(picture.get(), owner == nullptr ? nullptr : &owner->remote());
  return {any, /*direct=*/false, std::move(picture)};
}

Placement NodeDirectory::PlaceAnywhere(const RemoteNode* avoided) {
  (void)Place({.to = CallRoute::To::kAny});  // the first call has the directory ask
  std::shared_ptr<const Picture> known = picture();
  KnownNode* const node =
      known == nullptr && avoided == nullptr ? SeedInUse() : AnyOf(known.get(), avoided);
  return {node, /*direct=*/false, std::move(known)};
}

KnownNode* NodeDirectory::AnyOf(const Picture* picture, const RemoteNode* avoided) {
  KnownNode* last = nullptr;  // better than none
  const auto find = [&](const std::vector<std::shared_ptr<KnownNode>>& nodes,
                        size_t first) -> KnownNode* {
    for (size_t i = 0; i < nodes.size(); ++i) {
      KnownNode* const node = nodes[(first + i) % nodes.size()].get();
      if (node == nullptr || &node->remote() == avoided) continue;
      if (!node->IsDown()) return node;
      last = node;
    }
    return nullptr;
  };
  if (picture != nullptr) {
    if (KnownNode* const node = find(picture->nodes(), turn_.fetch_add(1))) return node;
  }
  if (KnownNode* const seed = find(seeds_, seed_.load())) return seed;
  return last != nullptr ? last : SeedInUse();
}

void NodeDirectory::StartWatch() {
  if (watch_ != nullptr || closed_) return;
  watch_ = TopologyWatch::Start(threads_.front().get(), this, options_.retry);
}

absl::StatusOr<bool> NodeDirectory::Take(const v1::Topology& topology) {
  const std::shared_ptr<const Picture> before = picture();
  if (topology.cluster().empty()) {
    if (before == nullptr) return false;
    return absl::InvalidArgumentError("it is part of no cluster");
  }
  const Picture::Version version{topology.cluster(), topology.cluster_uid(), topology.epoch()};
  if (before != nullptr) {
    const absl::StatusOr<bool> may_follow = version.MayFollow(before->version());
    if (!may_follow.ok()) return may_follow.status();
    if (!*may_follow) return true;
  } else if (version.uid == 0) {
    return true;  // there is no map yet
  }
  absl::flat_hash_map<std::string, std::shared_ptr<KnownNode>> known;
  for (const auto& seed : seeds_) known.emplace(seed->address(), seed);
  if (before != nullptr) {
    for (const auto& node : before->nodes())
      if (node != nullptr) known.emplace(node->address(), node);
  }
  auto picture = Picture::Create(topology, [&](const std::string& address) {
    std::shared_ptr<KnownNode>& node = known[address];
    if (node == nullptr) node = std::make_shared<KnownNode>(address, around_);
    return node;
  });
  if (!picture.ok()) return picture.status();

  absl::flat_hash_set<KnownNode*> kept;
  for (const auto& seed : seeds_) kept.insert(seed.get());
  for (const auto& node : (*picture)->nodes()) kept.insert(node.get());
  std::vector<std::shared_ptr<KnownNode>> gone;
  {
    MutexLock lock(&mutex_);
    if (closed_) return true;
    known_epoch_.store(version.epoch);
    behind_since_ = Clock::time_point::max();
    picture_ = *std::move(picture);
    has_choice_.store(true);
    lone_.store(nullptr, std::memory_order_release);
    std::erase_if(retired_, [](const auto& node) { return node.expired(); });
    if (before != nullptr) {
      for (const auto& node : before->nodes())
        if (node != nullptr && kept.insert(node.get()).second) gone.push_back(node);
    }
    retired_.insert(retired_.end(), gone.begin(), gone.end());
  }
  for (const auto& node : gone) node->Retire();
  return true;
}

void NodeDirectory::Resend(std::unique_ptr<PendingCall> call) {
  for (int i = 0; i < kMostRestarts; ++i) {
    const Placement place = Place(call->terms().route);
    NodePipeline& pipeline = place.node->pipeline(place.direct);
    if (!pipeline.Takes(call->request_bytes())) break;
    call = pipeline.Start(std::move(call));
    if (call == nullptr) return;
  }
  call->SendAlone(threads_.front().get());
}

void NodeDirectory::NoteMoved(const SlotError& moved) {
  if (moved.epoch <= known_epoch_.load(std::memory_order_relaxed)) return;
  std::shared_ptr<TopologyWatch> left_behind;
  {
    MutexLock lock(&mutex_);
    if (moved.epoch <= known_epoch_.load()) return;
    const Clock::time_point now = Clock::now();
    if (behind_since_ == Clock::time_point::max()) behind_since_ = now;
    if (now - behind_since_ >= kPatienceWithWatch) {
      behind_since_ = now;
      left_behind = watch_;
    }
  }
  if (left_behind != nullptr) left_behind->MoveOn();
}

void NodeDirectory::NoteUnreachable(RemoteNode& node) {
  node.reachability().NoteFailure();
  if (seeds_.size() == 1) return;
  MutexLock lock(&mutex_);
  if (&SeedInUse()->remote() != &node) return;
  size_t next = seed_.load();
  for (size_t i = 1; i < seeds_.size(); ++i) {
    next = (seed_.load() + i) % seeds_.size();
    if (!seeds_[next]->IsDown()) break;
  }
  seed_.store(next);
  if (lone_.load() != nullptr) lone_.store(seeds_[next].get(), std::memory_order_release);
}

void NodeDirectory::NoteSilent(const RemoteNode& node) {
  if (!HasChoice()) return;
  std::shared_ptr<TopologyWatch> watch;
  {
    MutexLock lock(&mutex_);
    watch = watch_;
  }
  if (watch != nullptr) watch->MoveOnFrom(node);
}

void NodeDirectory::NoteCutOff(const RemoteNode& node) {
  if (!HasChoice()) return;
  std::shared_ptr<TopologyWatch> watch;
  {
    MutexLock lock(&mutex_);
    const Clock::time_point now = Clock::now();
    if (now < cut_off_noted_ + kPauseAfterCutOff) return;
    cut_off_noted_ = now;
    watch = watch_;
  }
  if (watch != nullptr) watch->MoveOnFrom(node);
}

void NodeDirectory::Close() {
  std::vector<std::shared_ptr<KnownNode>> nodes = seeds_;
  {
    MutexLock lock(&mutex_);
    closed_ = true;  // no other node comes
    if (picture_ != nullptr) {
      for (const auto& node : picture_->nodes())
        if (node != nullptr) nodes.push_back(node);
    }
    for (const auto& node : retired_)
      if (auto left = node.lock()) nodes.push_back(std::move(left));
    closing_ = nodes;
  }
  for (const auto& node : nodes) node->Close();
}

void NodeDirectory::AwaitEnd() {
  std::vector<std::shared_ptr<KnownNode>> nodes;
  {
    MutexLock lock(&mutex_);
    nodes = closing_;
  }
  for (const auto& node : nodes) node->AwaitEnd();
}

}  // namespace ferrite
