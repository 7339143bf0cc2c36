// Fills a running Redis or memcached with the entries of bench/store/workload.h, as fast as it
// takes them: both are told not to answer single writes, so that nothing waits for an answer.
//
//   bench-store-fill redis SOCKET --keys 1000000 --value-bytes 64
//
// Ends when the server has taken all of them. Whether it stored all of them is for the caller to
// ask.

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include "bench/store/workload.h"

namespace ferrite::bench {
namespace {

// Returns the connection; -1: failed, see errno.
int Connect(const std::string& path) {
  const int connection = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  const int failed =
      connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  return failed != 0 ? -1 : connection;
}

// False: failed, see errno.
bool Send(int connection, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR) return false;
    if (sent > 0) bytes.remove_prefix(sent);
  }
  return true;
}

// What goes around a key and its value, before and after all of them, and how the only answer
// begins.
struct FillFrame {
  std::string opening, before_key, after_key, after_value, closing, answer;
};

FillFrame FillFrameOf(const std::string& server, size_t key_bytes, size_t value_bytes) {
  const std::string size = std::to_string(value_bytes);
  if (server == "redis") {
    return {"CLIENT REPLY OFF\r\n",  "*3\r\n$3\r\nSET\r\n$" + std::to_string(key_bytes) + "\r\n",
            "\r\n$" + size + "\r\n", "\r\n",
            "CLIENT REPLY ON\r\n",   "+OK\r\n"};
  }
  return {"", "set ", " 0 0 " + size + " noreply\r\n", "\r\n", "version\r\n", "VERSION "};
}

// False: failed, see errno.
bool Fill(const FillFrame& frame, int connection, uint64_t keys, size_t value_bytes) {
  constexpr size_t kChunkBytes = size_t{256} << 10;
  const std::string value(value_bytes, 'v');
  std::string chunk = frame.opening;
  for (uint64_t i = 0; i < keys; ++i) {
    chunk.append(frame.before_key).append(Key(i).view()).append(frame.after_key);
    chunk.append(value).append(frame.after_value);
    if (chunk.size() < kChunkBytes) continue;
    if (!Send(connection, chunk)) return false;
    chunk.clear();
  }
  return Send(connection, chunk + frame.closing);
}

// Waits for the only answer, which comes when the server has taken everything.
bool IsAnswered(const FillFrame& frame, int connection) {
  std::string answer(frame.answer.size(), ' ');
  return recv(connection, answer.data(), answer.size(), MSG_WAITALL) ==
             static_cast<ssize_t>(answer.size()) &&
         answer == frame.answer;
}

int Main(int argc, char** argv) {
  std::string server, path;
  uint64_t keys = 1'000'000;
  size_t value_bytes = 64;
  CLI::App app("Fills a Redis or memcached server");
  app.add_option("server", server, "redis or memcached")
      ->required()
      ->check(CLI::IsMember({"redis", "memcached"}));
  app.add_option("socket", path, "The Unix socket that it listens on")->required();
  app.add_option("--keys", keys, "How many entries");
  app.add_option("--value-bytes", value_bytes, "Size of a value");
  CLI11_PARSE(app, argc, argv);
  const FillFrame frame = FillFrameOf(server, Key(0).view().size(), value_bytes);
  const int connection = Connect(path);
  if (connection < 0 || !Fill(frame, connection, keys, value_bytes)) {
    std::perror("bench-store-fill");
    return EXIT_FAILURE;
  }
  if (!IsAnswered(frame, connection)) {
    std::fprintf(stderr, "bench-store-fill: %s answered otherwise than expected\n", server.c_str());
    return EXIT_FAILURE;
  }
  close(connection);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace ferrite::bench

int main(int argc, char** argv) { return ferrite::bench::Main(argc, argv); }
