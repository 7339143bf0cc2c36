#pragma once

// How commands print. Results go to the standard output, everything else to the standard error.

#include <string_view>

#include "nlohmann/json.hpp"

namespace ferrite::cli {

// `value` with every integer as a string of digits. Many readers of JSON round integers beyond
// 2^53, hence protobuf's JSON mapping has 64-bit integers as strings; here all of them are, so that
// one rule holds for every command. Fractions stay numbers.
nlohmann::ordered_json WithIntegersAsText(nlohmann::ordered_json value);

// The text of `value`, with integers as above.
std::string JsonText(const nlohmann::ordered_json& value);

// Prints one JSON value on a line of its own.
void PrintJson(const nlohmann::ordered_json& value);

// Prints `bytes` unchanged.
void PrintBytes(std::string_view bytes);

// Prints a line.
void PrintLine(std::string_view line);

// Prints a line for people, on stderr, where scripts do not read.
void PrintNote(std::string_view line);

// The same without an end of the line, for what people answer or what is printed over. Not delayed.
void PrintUnfinishedNote(std::string_view text);

// Sends what was printed on its way. False if it cannot be written.
bool FlushOutput();

// Whether something could not be written, whereupon a command that goes on for long should end.
bool OutputFailed();

// Whether the output could not be written because its reader has gone, as `head` does.
bool ReaderIsGone();

// Whether somebody still reads the output; if not, ReaderIsGone(). For commands that wait for
// something to print: a write would tell too late.
bool IsRead();

}  // namespace ferrite::cli
