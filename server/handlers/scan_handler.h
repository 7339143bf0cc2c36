#pragma once

// CacheService.Scan: a source of messages that walks the store in short steps.

#include <grpcpp/support/status.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "ferrite/v1/cache.pb.h"
#include "store/store.h"

namespace ferrite {

// Opens a scan of `store`, which must outlive `*source`. INVALID_ARGUMENT if the cursor is not one
// of this server.
grpc::Status OpenScan(Store* store, const v1::ScanRequest& request,
                      std::function<bool(v1::ScanResponse*)>* source);

// A cursor as bytes, and back; false if the bytes are no cursor of this process.
std::string EncodeCursor(const ScanCursor& cursor);
bool DecodeCursor(std::string_view bytes, ScanCursor* cursor);

}  // namespace ferrite
