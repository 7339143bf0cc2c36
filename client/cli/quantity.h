#pragma once

// Quantities as people read them in tables.

#include <cstdint>
#include <string>

namespace ferrite::cli {

// 1234567 as "1,234,567".
std::string Grouped(uint64_t number);

// "512 B", "1.5 KiB", "2.0 GiB".
std::string RenderBytes(double bytes);

// Microseconds: "12 us", "9.8 ms", "1.23 s".
std::string RenderMicroseconds(double us);

}  // namespace ferrite::cli
