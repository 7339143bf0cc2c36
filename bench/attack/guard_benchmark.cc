// What the frame guard costs for each frame: of calls that are read one by one, and together.

#include <sys/uio.h>

#include <cstdio>
#include <ctime>
#include <string>

#include "server/guard/frame_guard.h"

namespace ferrite {
namespace {

// CPU time of the process: others may be using the machine.
double CpuSeconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

constexpr int kDescriptor = 100;  // of nothing: the guard only asks for its number

// HEADERS and DATA of a Get, as clients send them: all but the first call has its headers from the
// table.
std::string Call(uint32_t stream) {
  const auto frame = [stream](char type, char flags, const std::string& payload) {
    std::string bytes = {0, 0, static_cast<char>(payload.size()), type, flags};
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(stream >> shift);
    return bytes + payload;
  };
  const std::string message = "\n\x10" + std::string(16, 'k');
  return frame(1, 4, std::string(12, 'h')) +
         frame(0, 1, std::string("\0\0\0\0", 4) + static_cast<char>(message.size()) + message);
}

double NsPerFrame(uint32_t calls_per_read, double seconds) {
  FrameLimits limits;
  // Of no speed that is measured here.
  for (FrameRate& rate : limits.connection) rate = {1'000'000'000, 1'000'000'000};
  for (FrameRate& rate : limits.process) rate = {1'000'000'000, 1'000'000'000};
  FrameGuard guard(limits);
  if (!guard.Watch(kDescriptor)) return -1;
  std::string preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  preface += std::string("\0\0\0\4\1\0\0\0\0", 9);  // acknowledges the server's SETTINGS
  const iovec first = {preface.data(), preface.size()};
  guard.Admit(kDescriptor, &first, first.iov_len);
  // Streams of a few thousand calls, over and over.
  constexpr uint32_t kCalls = 4096;
  std::string bytes;
  for (uint32_t i = 0; i < kCalls; ++i) bytes += Call(1 + 2 * i);
  const size_t read = calls_per_read * Call(1).size();
  uint64_t frames = 0;
  const double begin = CpuSeconds();
  double end = begin;
  do {
    for (size_t at = 0; at + read <= bytes.size(); at += read, frames += 2 * calls_per_read) {
      const iovec piece = {bytes.data() + at, read};
      if (guard.Allowance(kDescriptor) == 0 || !guard.Admit(kDescriptor, &piece, read)) return -1;
      guard.EndTurn();
    }
    end = CpuSeconds();
  } while (end - begin < seconds);
  return (end - begin) * 1e9 / static_cast<double>(frames);
}

}  // namespace
}  // namespace ferrite

// SECONDS for each.
int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::stod(argv[1]) : 1;
  const double alone = ferrite::NsPerFrame(1, seconds);
  const double together = ferrite::NsPerFrame(64, seconds);
  if (alone < 0 || together < 0) return 1;  // the guard took the calls for a flood
  std::printf("{\"one_call_a_read\": %.2f, \"calls_together\": %.2f}\n", alone, together);
}
