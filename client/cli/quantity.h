#pragma once

// Quantities as people read them in tables.

#include <cstdint>
#include <string>

namespace ferrite::cli {

// 1234567 as "1,234,567".
std::string Grouped(uint64_t number);

// As Grouped() up to six digits, then "1.23M", "45.6G": never more than seven characters.
std::string ShortCount(uint64_t number);

// A rate: "0", "0.3", "1,234".
std::string RenderRate(double per_second);

// "45.3%" of a part of the whole; "0%" where there is no whole.
std::string RenderShare(double part, double whole);

// Microseconds: "12 us", "9.8 ms", "1.23 s".
std::string RenderMicroseconds(double us);

}  // namespace ferrite::cli
