#pragma once

// Makes trouble in a world, and mends it.

#include <cstdint>
#include <functional>
#include <string>

#include "tests/simulation/scenario.h"
#include "tests/simulation/world.h"

namespace ferrite::simulation {

class Troubles {
 public:
  explicit Troubles(World* world) : world_(*world) {}

  // From now until then, each of the scenario's kinds now and then.
  void MakeUntil(int64_t end_ns);
  // Ends all of it.
  void Mend();

 private:
  void MakeOne();
  void Make(Trouble trouble);
  // Runs when its time is over, unless all was mended before.
  void Later(int64_t delay_ns, std::function<void()> act);
  SimHost* SomeHost();
  SimHost* SomeLivingHost();
  int64_t SomeTime() const;

  void Pause();
  void Crash(bool for_good);
  void CrashHost(SimHost* host, bool for_good);
  void Drain();
  void Leave();
  void Cut(SimHost* host, int64_t time_ns);
  void Connect(SimHost* host);
  void DeleteKey();
  void FlapKey();
  void StepWallClock();
  void WaitForBadMoment();
  void Outage();
  void OverwriteKey();
  void DeleteCeiling();
  void DeleteMap();
  void RestoreEtcd();
  void WriteNewerMap();
  void PutMapBack();
  void StartSameId();
  void ForgetLease();

  World& world_;
  int64_t end_ns_ = 0;
  int64_t busy_until_ns_ = 0;  // with what only comes alone
  bool mended_ = false;
  bool restoring_ = false;
  std::string map_to_put_back_;  // instead of the one that is too new
};

}  // namespace ferrite::simulation
