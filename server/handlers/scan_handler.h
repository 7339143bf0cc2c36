#pragma once

// CacheService.Scan: walks the store in short steps.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "ferrite/v1/cache.pb.h"
#include "server/engine/rpc.h"
#include "store/store.h"

namespace ferrite {

// Makes the messages of one scan of `store`, which must outlive it. Not thread-safe.
class ScanSource {
 public:
  ScanSource(Store* store, const v1::ScanRequest& request, const ScanCursor& cursor);

  // Fills in the next message; false if there is none left.
  bool Next(v1::ScanResponse* response);

 private:
  void Fetch();
  // Adds the next key, if it is still there, to a message of so many bytes; returns the size of
  // what it added. Absent if there is no room: then it is still the next one.
  std::optional<size_t> AddEntry(size_t bytes, v1::ScanResponse* response);

  Store& store_;
  const std::string prefix_;
  uint64_t left_;  // entries that may still be sent
  const bool with_values_;
  ScanCursor cursor_;              // where the store's scan stands: after `keys_`
  ScanCursor position_ = cursor_;  // where the client's scan stands: after the keys that were sent
  std::vector<ScannedKey> keys_;
  size_t next_key_ = 0;
  bool at_end_ = false;
  bool done_ = false;
  ReadResult result_;
};

// The handler. INVALID_ARGUMENT if the cursor is not one of this server.
absl::Status OpenScan(Store* store, Turn* turn);

// Where the scan that `request` asks for begins; INVALID_ARGUMENT likewise.
absl::Status ScanBeginning(const v1::ScanRequest& request, ScanCursor* cursor);

// A cursor as bytes, and back; false if the bytes are no cursor of this process.
std::string EncodeCursor(const ScanCursor& cursor);
bool DecodeCursor(std::string_view bytes, ScanCursor* cursor);

}  // namespace ferrite
