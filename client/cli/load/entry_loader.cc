#include "client/cli/load/entry_loader.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/annotated.h"
#include "client/batch.h"
#include "client/cli/interrupt.h"
#include "client/cli/keys.h"
#include "client/error.h"
#include "client/retry.h"

namespace ferrite::cli {
namespace {

constexpr size_t kMostUnderWay = 8;
// A server that is busy is asked again for about half a minute.
constexpr int kMostTries = 20;
constexpr RetryPolicy kPatience = {.initial_backoff = absl::Milliseconds(100),
                                   .max_backoff = absl::Seconds(2)};

uint64_t HashOf(const std::string& key) { return std::hash<std::string>()(key); }

// Whether the server has executed nothing, as it has too much to do.
bool IsBusy(const absl::Status& status) {
  return absl::IsResourceExhausted(status) && ReasonOf(status) == "OVERLOADED" &&
         !MayBeDone(status);
}

// The entries of which that is so, as each may be another node's: their places.
std::vector<int> BusyEntries(const v1::MSetRequest& request,
                             const absl::StatusOr<v1::MSetResponse>& reply) {
  std::vector<int> busy;
  for (int i = 0; i < request.entries_size(); ++i) {
    const bool is_busy = reply.ok() ? reply->results(i).has_error() &&
                                          IsBusy(ToAbslStatus(reply->results(i).error()))
                                    : IsBusy(reply.status());
    if (is_busy) busy.push_back(i);
  }
  return busy;
}

// Whether one entry can make a whole batch fail.
bool MayBeOneEntrys(const absl::Status& status) {
  return absl::IsInvalidArgument(status) || absl::IsOutOfRange(status) ||
         (absl::IsResourceExhausted(status) && !IsBusy(status));
}

}  // namespace

absl::Status EntryLoader::Add(v1::SetRequest entry, uint64_t line) {
  while (keys_under_way_.contains(HashOf(entry.key()))) {
    if (absl::Status status = SettleOldest(); !status.ok()) return status;
  }
  const size_t bytes = entry.key().size() + entry.value().size();
  if (!gathered_.lines.empty() && gathered_.bytes + bytes > kMostBytesInBatch) {
    if (absl::Status status = Send(); !status.ok()) return status;
  }
  gathered_.bytes += bytes;
  gathered_.lines.push_back(line);
  *gathered_.request.add_entries() = std::move(entry);
  return gathered_.lines.size() < kMostKeysInBatch ? absl::OkStatus() : Send();
}

absl::Status EntryLoader::Send() {
  if (gathered_.lines.empty()) return absl::OkStatus();
  while (under_way_.size() >= kMostUnderWay) {
    if (absl::Status status = SettleOldest(); !status.ok()) return status;
  }
  Batch batch = std::exchange(gathered_, Batch());
  for (const v1::SetRequest& entry : batch.request.entries()) {
    ++keys_under_way_[HashOf(entry.key())];
  }
  auto promise = std::make_shared<std::promise<Reply>>();
  batch.reply = promise->get_future();
  client_.MSetAsync(batch.request, {},
                    [promise](Reply reply) { promise->set_value(std::move(reply)); });
  under_way_.push_back(std::move(batch));
  return absl::OkStatus();
}

EntryLoader::Reply EntryLoader::AnswerTo(Batch& batch) {
  Reply reply = batch.reply.get();
  for (int tries = 1; tries <= kMostTries && CaughtSignal() == 0; ++tries) {
    const std::vector<int> busy = BusyEntries(batch.request, reply);
    if (busy.empty()) break;
    absl::SleepFor(Backoff(kPatience, tries, RandomChance()));
    Reply again = client_.MSet(CopyItems(batch.request, busy));
    if (!reply.ok()) {
      reply = std::move(again);
    } else if (again.ok()) {
      PutAnswers(*again, busy, &*reply);
    } else {
      for (const int i : busy) PutError(i, ToOperationError(again.status()), &*reply);
    }
  }
  return reply;
}

absl::Status EntryLoader::SettleOldest() {
  Batch batch = std::move(under_way_.front());
  under_way_.pop_front();
  const Reply reply = AnswerTo(batch);
  for (const v1::SetRequest& entry : batch.request.entries()) {
    const auto key = keys_under_way_.find(HashOf(entry.key()));
    if (--key->second == 0) keys_under_way_.erase(key);
  }
  if (!reply.ok() && !MayBeOneEntrys(reply.status())) {
    counts_.failed += batch.lines.size();
    return Annotated(reply.status(),
                     absl::StrCat("lines ", batch.lines.front(), " to ", batch.lines.back(), ": "),
                     "");
  }
  for (int i = 0; i < batch.request.entries_size(); ++i) {
    const v1::SetRequest& entry = batch.request.entries(i);
    const uint64_t line = batch.lines[static_cast<size_t>(i)];
    if (!reply.ok()) {
      SettleOne(entry, line, client_.Set(entry));
    } else if (const v1::MSetResult& result = reply->results(i); result.has_error()) {
      SettleOne(entry, line, ToAbslStatus(result.error()));
    } else {
      SettleOne(entry, line, result.response());
    }
  }
  return absl::OkStatus();
}

void EntryLoader::SettleOne(const v1::SetRequest& entry, uint64_t line,
                            const absl::StatusOr<v1::SetResponse>& outcome) {
  if (!outcome.ok()) {
    ++counts_.failed;
    report_(line, outcome.status());
  } else if (!outcome->stored()) {
    ++counts_.kept;
  } else {
    ++counts_.stored;
    counts_.bytes += entry.key().size() + entry.value().size();
  }
}

absl::Status EntryLoader::Finish() {
  absl::Status first = Send();
  while (!under_way_.empty()) {
    const absl::Status status = SettleOldest();
    if (first.ok()) first = status;
  }
  return first;
}

}  // namespace ferrite::cli
