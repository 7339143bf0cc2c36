#include "server/handlers/scan_handler.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "server/call/limits.h"
#include "server/call/status.h"
#include "server/handlers/read_result.h"
#include "server/metrics/thread_counters.h"

namespace ferrite {
namespace {

// One message: so many keys at most, so many bytes at most, and so many steps of the store.
constexpr int kKeysPerMessage = 256;
constexpr size_t kBytesPerMessage = size_t{1} << 20;
constexpr int kStepsPerMessage = 8;

// Positions mean nothing to another process, so a cursor names the one it is from.
struct CursorBytes {
  uint64_t process;
  uint32_t shard;
  uint32_t page;
  uint32_t slot;
  uint32_t check;
};

uint64_t ThisProcess() {
  static const uint64_t id = (uint64_t{std::random_device{}()} << 32) | std::random_device{}();
  return id;
}

uint32_t Check(const CursorBytes& bytes) {
  uint32_t check = static_cast<uint32_t>(bytes.process);
  for (const uint32_t part : {bytes.shard, bytes.page, bytes.slot})
    check = (check ^ part) * 0x01000193u;
  return check;
}

// Sends the messages of a scan, one after the other.
class ScanAnswer final : public Answer {
 public:
  ScanAnswer(Store* store, const v1::ScanRequest& request, const ScanCursor& cursor)
      : source_(store, request, cursor) {}

  Next Advance(ReplyWriter* message, CallEnd*) override {
    thread_local v1::ScanResponse response;
    response.Clear();
    if (!source_.Next(&response)) return Next::kEnd;
    ThreadCounters::Current().CountRead(static_cast<uint64_t>(response.entries_size()));
    message->AppendMessage(response);
    return Next::kMessage;
  }

 private:
  ScanSource source_;
};

}  // namespace

std::string EncodeCursor(const ScanCursor& cursor) {
  CursorBytes bytes{ThisProcess(), cursor.shard, cursor.page, cursor.slot, 0};
  bytes.check = Check(bytes);
  return std::string(reinterpret_cast<const char*>(&bytes), sizeof(bytes));
}

bool DecodeCursor(std::string_view encoded, ScanCursor* cursor) {
  CursorBytes bytes;
  if (encoded.size() != sizeof(bytes)) return false;
  std::memcpy(&bytes, encoded.data(), sizeof(bytes));
  if (bytes.process != ThisProcess() || bytes.check != Check(bytes)) return false;
  *cursor = {bytes.shard, bytes.page, bytes.slot};
  return true;
}

ScanSource::ScanSource(Store* store, const v1::ScanRequest& request, const ScanCursor& cursor)
    : store_(*store),
      prefix_(request.prefix()),
      left_(request.limit() == 0 ? UINT64_MAX : request.limit()),
      with_values_(request.with_values()),
      cursor_(cursor) {}

bool ScanSource::Next(v1::ScanResponse* response) {
  if (done_) return false;
  size_t bytes = 0;
  bool full = false;
  for (int step = 0; step < kStepsPerMessage && !full; ++step) {
    if (next_key_ == keys_.size()) {
      if (at_end_ || response->entries_size() >= kKeysPerMessage) break;
      Fetch();
    }
    while (next_key_ < keys_.size() && left_ > 0 && !full) {
      const std::optional<size_t> added = AddEntry(bytes, response);
      bytes += added.value_or(0);
      full = !added.has_value() || bytes >= kBytesPerMessage;
    }
    if (left_ == 0) break;
  }
  const bool exhausted = at_end_ && next_key_ == keys_.size();
  done_ = exhausted || left_ == 0;
  if (!exhausted) response->set_cursor(EncodeCursor(position_));
  return true;
}

void ScanSource::Fetch() {
  keys_.clear();
  next_key_ = 0;
  at_end_ = !store_.Scan(prefix_, std::min<uint64_t>(left_, kKeysPerMessage), &cursor_, &keys_);
  if (keys_.empty()) position_ = cursor_;
}

std::optional<size_t> ScanSource::AddEntry(size_t bytes, v1::ScanResponse* response) {
  const ScannedKey& scanned = keys_[next_key_];
  store_.Peek(scanned.key, with_values_, &result_);
  // Only the first value of a message may be as large as it is.
  if (bytes > 0 && bytes + result_.value.view().size() > kMaxReplyBytes) {
    result_.value.Clear();
    return std::nullopt;
  }
  ++next_key_;
  position_ = next_key_ == keys_.size() ? cursor_ : scanned.after;
  if (!result_.found) return 0;
  v1::ScanEntry* entry = response->add_entries();
  entry->set_key(scanned.key);
  FillEntry(result_, entry);
  result_.value.Clear();
  --left_;
  return entry->ByteSizeLong();
}

absl::Status ScanBeginning(const v1::ScanRequest& request, ScanCursor* cursor) {
  if (!request.prefix().empty()) {
    if (absl::Status status = CheckKey(request.prefix()); !status.ok()) return status;
  }
  if (request.cursor().empty() || DecodeCursor(request.cursor(), cursor)) return absl::OkStatus();
  return InvalidArgument(v1::CURSOR_INVALID,
                         "the cursor is not from this server, or from before its last start; "
                         "scan from the beginning");
}

absl::Status OpenScan(Store* store, Turn* turn) {
  v1::ScanRequest request;
  if (!turn->request().ParseInto(&request)) return Malformed("ScanRequest");
  ScanCursor cursor;
  if (absl::Status status = ScanBeginning(request, &cursor); !status.ok()) return status;
  turn->Later(std::make_unique<ScanAnswer>(store, request, cursor));
  return absl::OkStatus();
}

}  // namespace ferrite
