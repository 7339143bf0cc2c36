#pragma once

// The verbs in which the store's tests speak.

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "store/store.h"
#include "tests/store/fake_clock.h"

namespace ferrite {

class StoreTest : public testing::Test {
 protected:
  explicit StoreTest(StoreOptions options = {.shards = 4}) {
    options.clock = &clock_;
    store_.emplace(options);
  }

  // The value, or "(miss)".
  std::string Get(std::string_view key) {
    const ReadResult result = Read(key);
    return result.found ? std::string(result.value.view()) : "(miss)";
  }
  ReadResult Read(std::string_view key, const GetOptions& options = {}) {
    ReadResult result;
    store_->Get(key, options, &result);
    return result;
  }
  std::optional<int64_t> Ttl(std::string_view key) { return Read(key).ttl_ms; }
  uint64_t Version(std::string_view key) { return Read(key).version; }
  bool Set(std::string_view key, std::string_view value, const SetOptions& options = {}) {
    return store_->Set(key, value, options).outcome == SetOutcome::kStored;
  }
  bool Delete(std::string_view key) { return store_->Delete(key).deleted; }
  void SweepAll() {
    while (!store_->Sweep()) {
    }
  }
  // Sets a value and has the memory below its limit, with the value still there: nobody has used
  // it, so it may be the first to go.
  void SetWithoutExcess(const std::string& key, const std::string& value) {
    for (int i = 0; i < 20 && !store_->Exists(key); ++i) {
      ASSERT_TRUE(Set(key, value));
      while (store_->HasExcess()) store_->Sweep();
    }
    ASSERT_TRUE(store_->Exists(key));
  }
  std::multiset<std::string> ScanAll(std::string_view prefix = "", size_t step = 10) {
    std::vector<ScannedKey> scanned;
    ScanCursor cursor;
    while (store_->Scan(prefix, step, &cursor, &scanned)) {
    }
    std::multiset<std::string> keys;
    for (const ScannedKey& each : scanned) keys.insert(each.key);
    return keys;
  }

  FakeClock clock_;
  std::optional<Store> store_;
};

}  // namespace ferrite
