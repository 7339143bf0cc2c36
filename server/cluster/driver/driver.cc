#include "server/cluster/driver/driver.h"

#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/clock.h"
#include "server/cluster/driver/moment_now.h"
#include "server/cluster/hello/hello.h"
#include "server/cluster/keys.h"

namespace ferrite::cluster {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kHelloTimeout{1};
constexpr std::chrono::seconds kBetweenHellos{1};
// How soon calls that hold up a drop are looked at again.
constexpr std::chrono::milliseconds kDropPause{5};
constexpr std::chrono::seconds kLeaveTimeout{1};
constexpr std::chrono::milliseconds kLookAtOthers{100};
constexpr std::chrono::seconds kPatienceWithoutRight{1};

uint64_t RandomNumber() {
  uint64_t number = 0;
  while (number == 0) FERRITE_CHECK(getrandom(&number, sizeof number, 0) == sizeof number);
  return number;
}

// In the order of Problem, and one more for the address that is not proven.
constexpr std::array kProblemNames = {"id_taken",        "foreign",       "map_broken",
                                      "map_too_new",     "map_too_large", "record_broken",
                                      "ceiling_missing", "etcd_garbage",  "etcd_silent",
                                      "clock_off",       "address_wrong"};
constexpr size_t kAddressWrong = kProblemNames.size() - 1;
static_assert(static_cast<size_t>(Problem::kClockOff) + 1 == kAddressWrong);

template <typename Response>
EtcdReply ReplyOf(uint64_t call, EtcdAnswer<Response> answer) {
  EtcdReply reply{.call = call, .error = std::move(answer.error)};
  switch (answer.outcome) {
    case EtcdOutcome::kAnswered:
      reply.outcome = EtcdReply::Outcome::kAnswered;
      reply.response = std::move(answer.response);
      break;
    case EtcdOutcome::kNotExecuted:
      reply.outcome = EtcdReply::Outcome::kNotExecuted;
      break;
    case EtcdOutcome::kUnknown:
      reply.outcome = EtcdReply::Outcome::kUnknown;
      break;
  }
  return reply;
}

}  // namespace

Driver::Driver(DriverOptions options)
    : options_(std::move(options)),
      boot_id_(RandomNumber()),
      etcd_({.endpoints = options_.etcd_endpoints,
             .credentials = options_.etcd_credentials,
             .random_seed = boot_id_}) {}

Driver::~Driver() { Stop(); }

void Driver::Stop() {
  right_.Set(0);
  inbox_.Close();
  if (thread_.joinable()) thread_.join();
  right_.Set(0);  // which the thread may have set again
}

void Driver::Start(const std::string& address, const std::string& internal_address) {
  CoreSettings settings;
  settings.cluster = options_.cluster;
  settings.serving_ttl_ms = options_.serving_ttl_ms;
  settings.random_seed = boot_id_;
  internal::v1::NodeRecord& self = settings.self;
  self.set_node_id(options_.node_id);
  self.set_boot_id(boot_id_);
  self.set_address(address);
  if (internal_address != address) self.set_internal_address(internal_address);
  self.set_zone(options_.zone);
  self.set_version(options_.version);
  thread_ = std::thread([this, settings = std::move(settings)] {
    prctl(PR_SET_NAME, "cluster");
    Run(settings);
  });
}

// ---- On the thread

void Driver::Run(const CoreSettings& settings) {
  if (!ProveAddresses(settings.self)) return;
  {
    MutexLock lock(&core_mutex_);
    core_ = std::make_unique<Core>(settings);
  }
  const Keys keys(options_.cluster);
  etcd_.Watch(keys.all(), EndOfPrefix(keys.all()),
              [this](const mvccpb::Event& event) { inbox_.AddHint({event}); });
  Step(Tick());
  while (!inbox_.closed()) {
    for (const Event& event : inbox_.Take(NextTime())) Step(event);
    Step(Tick());
    if (const auto dropped = drops_.Step()) Step(*dropped);
    TellReadiness();
  }
}

void Driver::TellReadiness() {
  const bool ready = right_.Holds(BootNs()) && view_.Get()->version().epoch != 0;
  if (std::exchange(ready_, ready) != ready) options_.set_ready(ready);
}

bool Driver::ProveAddresses(const internal::v1::NodeRecord& self) {
  for (;;) {
    std::string trouble = AddressTrouble(self.address(), "--advertise");
    if (trouble.empty() && !self.internal_address().empty())
      trouble = AddressTrouble(self.internal_address(), "--internal-listen");
    SetProblem(kAddressWrong, trouble);
    if (inbox_.closed()) return false;
    if (trouble.empty()) return true;
    inbox_.WaitClosed(Clock::now() + kBetweenHellos);
  }
}

std::string Driver::AddressTrouble(const std::string& address, const char* flag) const {
  const auto hello = SayHello(address, options_.node_id, options_.peer_credentials, kHelloTimeout);
  const std::string where = absl::StrCat("other nodes would be told to reach this one at ", address,
                                         " (", flag, "), where ");
  if (!hello.ok())
    return absl::StrCat(where, "it does not reach itself: ", hello.status().message());
  if (hello->boot_id() == boot_id_ && hello->cluster() == options_.cluster) return "";
  return absl::StrCat(where, "another process answers: ",
                      hello->cluster().empty() ? "one that is part of no cluster"
                                               : absl::StrCat("node ", hello->node_id(),
                                                              " of cluster ", hello->cluster()));
}

Clock::time_point Driver::NextTime() const {
  const Clock::time_point now = Clock::now();
  int64_t due_ns = 0;
  {
    MutexLock lock(&core_mutex_);
    due_ns = core_->next_wakeup_ns();
  }
  constexpr int64_t kLongest = 1'000'000'000;
  if (ready_) due_ns = std::min(due_ns, right_.end_ns());
  const int64_t left_ns = std::clamp<int64_t>(due_ns - BootNs(), 0, kLongest);
  const Clock::time_point due = now + std::chrono::nanoseconds(left_ns);
  switch (drops_.pace()) {
    case Drops::Pace::kIdle:
      return due;
    case Drops::Pace::kWaits:
      return std::min(due, now + kDropPause);
    case Drops::Pace::kBusy:
      return now;
  }
  return now;
}

void Driver::Step(const Event& event) {
  Actions actions;
  {
    MutexLock lock(&core_mutex_);
    const Moment now = MomentNow();
    // A tick that nobody has asked for does no harm, but is no use.
    if (std::holds_alternative<Tick>(event) && now.steady_ns < core_->next_wakeup_ns()) return;
    core_->Step(event, now, &actions);
  }
  for (Action& action : actions)
    std::visit([this](auto& of_kind) { Do(std::move(of_kind)); }, action);
  if (std::exchange(view_is_new_, false)) listeners_.CallAll();
  const Wish* const wish = std::get_if<Wish>(&event);
  if (wish == nullptr || *wish != Wish::kLeave || revoke_is_sent_) return;
  MutexLock lock(&mutex_);
  left_ = true;
  changed_.NotifyAll();
}

void Driver::Do(AskEtcd call) {
  const std::chrono::nanoseconds timeout(call.timeout_ns);
  std::visit(
      [&](const auto& request) {
        using Request = std::decay_t<decltype(request)>;
        constexpr bool kIsRevoke = std::is_same_v<Request, etcdserverpb::LeaseRevokeRequest>;
        if constexpr (kIsRevoke) revoke_is_sent_ = true;
        etcd_.Call<Request>(request, timeout, [this, id = call.id](auto answer) {
          inbox_.Add(ReplyOf(id, std::move(answer)));
          if constexpr (kIsRevoke) {
            MutexLock lock(&mutex_);
            left_ = true;
            changed_.NotifyAll();
          }
        });
      },
      call.request);
}

void Driver::Do(const Serve& serve) {
  if (serve.view != nullptr) {
    uint64_t owned = 0;
    for (uint32_t slot = 0; slot < kSlotCount; ++slot) {
      const Route::Place place = serve.view->route(slot).place;
      owned += place == Route::Place::kHere || place == Route::Place::kPreparing;
    }
    slots_owned_.store(owned, std::memory_order_relaxed);
    const ClusterView::Version& version = serve.view->version();
    spdlog::info("cluster {}: epoch {}, {} nodes, {} slots here", options_.cluster, version.epoch,
                 serve.view->nodes().size(), owned);
    view_.Publish(serve.view);
    view_is_new_ = true;
  }
  right_.Set(serve.right_end_ns);
}

void Driver::Do(Drop drop) { drops_.Add(std::move(drop), view_.count()); }

void Driver::Do(const Report& report) {
  SetProblem(static_cast<size_t>(report.problem), report.text);
}

void Driver::Do(const Drained&) {
  MutexLock lock(&mutex_);
  drained_ = true;
  changed_.NotifyAll();
}

void Driver::SetProblem(size_t problem, const std::string& text) {
  MutexLock lock(&mutex_);
  problems_.resize(kProblemNames.size());
  if (problems_[problem] == text) return;
  problems_[problem] = text;
  if (text.empty()) {
    spdlog::info("cluster {}: {} is over", options_.cluster, kProblemNames[problem]);
  } else {
    spdlog::error("cluster {}: {}: {}", options_.cluster, kProblemNames[problem], text);
  }
}

// ---- On any thread

MemberStatus Driver::status() const {
  MemberStatus status;
  constexpr int64_t kNsPerMilli = 1'000'000;
  status.may_serve_ms = std::max<int64_t>(0, (right_.end_ns() - BootNs()) / kNsPerMilli);
  const CoreStatus core = core_status();
  status.registered = core.registered;
  status.controller = core.controller;
  status.draining = core.draining;
  MutexLock lock(&mutex_);
  for (size_t i = 0; i < problems_.size(); ++i) {
    if (!problems_[i].empty())
      status.problems.push_back(absl::StrCat(kProblemNames[i], ": ", problems_[i]));
  }
  return status;
}

std::vector<std::pair<const char*, bool>> Driver::problems() const {
  std::vector<std::pair<const char*, bool>> problems;
  MutexLock lock(&mutex_);
  for (size_t i = 0; i < kProblemNames.size(); ++i)
    problems.emplace_back(kProblemNames[i], i < problems_.size() && !problems_[i].empty());
  return problems;
}

CoreStatus Driver::core_status() const {
  MutexLock lock(&core_mutex_);
  return core_ == nullptr ? CoreStatus() : core_->status();
}

void Driver::Drain(bool undo) {
  {
    MutexLock lock(&mutex_);
    drained_ = false;
  }
  inbox_.Add(undo ? Wish::kStay : Wish::kDrain);
}

absl::StatusOr<std::vector<PlannedMove>> Driver::Rebalance(bool dry_run) {
  std::optional<MapChange> change;
  {
    MutexLock lock(&core_mutex_);
    if (core_ == nullptr || !core_->status().has_map)
      return absl::UnavailableError("this node does not know the map of its cluster yet");
    if (!dry_run && !core_->status().controller)
      return absl::FailedPreconditionError("another node makes the changes of the map");
    change = core_->PlanRebalance();
  }
  if (!dry_run) inbox_.Add(Wish::kRebalance);
  std::vector<PlannedMove> moves;
  if (!change.has_value()) return moves;
  const auto id_of = [&](uint32_t member) {
    return change->map.members(static_cast<int>(member)).node_id();
  };
  for (const auto& range : change->map.ranges()) {
    if (!range.has_next_owner()) continue;
    moves.push_back({range.first(), range.last(), id_of(range.owner()), id_of(range.next_owner())});
  }
  return moves;
}

bool Driver::HasOthers() const {
  const auto view = view_.Get();
  return std::any_of(view->nodes().begin(), view->nodes().end(), [this](const auto& node) {
    return node->id != options_.node_id && !node->address.empty() && !node->draining;
  });
}

bool Driver::GiveAway(Clock::time_point end) {
  if (slots_owned() == 0) return true;
  Drain(false);
  Clock::time_point had_right = Clock::now();
  for (auto now = had_right; now < end; now = Clock::now()) {
    if (right_.Holds(BootNs())) had_right = now;
    // Without anybody else, or a word from etcd, nothing will come of it.
    if (!HasOthers() || now - had_right > kPatienceWithoutRight) return false;
    MutexLock lock(&mutex_);
    if (!drained_) changed_.WaitUntil(&mutex_, std::min(end, now + kLookAtOthers));
    if (drained_) return true;
  }
  return false;
}

void Driver::Leave() {
  if (!thread_.joinable()) return;
  right_.Set(0);
  inbox_.Add(Wish::kLeave);
  const Clock::time_point end = Clock::now() + kLeaveTimeout;
  {
    MutexLock lock(&mutex_);
    while (!left_ && changed_.WaitUntil(&mutex_, end)) {
    }
  }
  Stop();
}

}  // namespace ferrite::cluster
