#pragma once

// Which slot a key belongs to: the part of the wire contract that protobuf cannot say.
//
// The key space is cut into kSlotCount slots; a cluster gives each slot to one node. Server and
// client must agree to the bit, so both use this function. It is the one of Redis Cluster:
// CRC16/XMODEM (polynomial 0x1021, initial value 0, no reflection) of the key, or of its hash tag,
// modulo 16,384. The hash tag is what stands between the first '{' and the first '}' after it; if
// there is no such pair, or nothing between the two, the whole key counts. Keys that share a tag
// share a slot.
//
//   SlotOf("foo") == 12182
//   SlotOf("{user1000}.following") == SlotOf("{user1000}.followers")

#include <cstdint>
#include <string_view>

namespace ferrite {

inline constexpr uint32_t kSlotCount = 16384;

// The slot of `key`, in [0, kSlotCount). Any bytes are a key, none included. Thread-safe, allocates
// nothing.
uint32_t SlotOf(std::string_view key);

}  // namespace ferrite
