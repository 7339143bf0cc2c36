// How fast a near cache answers hits: fills one from a server, reads it with one thread and with
// two, and prints one line of JSON. Rates are per second of wall time, of all threads together, and
// per second of processor time.
//
// Reads go to some of the keys with equal frequency (--read-keys) or, with --zipf, to all of them
// by Zipf's law.

#include <time.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "client/cli/bench/zipf.h"
#include "client/client.h"
#include "client/near_cache.h"

namespace ferrite::bench {
namespace {

constexpr size_t kKeyBytes = 16;
constexpr double kTheta = 0.99;

struct Settings {
  std::string server = "127.0.0.1:6380";
  uint32_t keys = 100'000;
  uint32_t read_keys = 1'000;
  bool zipf = false;
  size_t value_bytes = 64;
  double seconds = 2;
};

// Ends the program unless the status is OK.
void Require(const absl::Status& status) {
  if (status.ok()) return;
  std::cerr << "bench-near-cache: " << status << "\n";
  std::exit(1);
}

// The keys in contiguous memory, so that reading them costs next to nothing.
class Keys {
 public:
  explicit Keys(uint32_t count) : count_(count) {
    for (uint32_t i = 0; i < count; ++i) {
      char key[kKeyBytes + 1];
      std::snprintf(key, sizeof(key), "near:%011u", i);
      bytes_.append(key, kKeyBytes);
    }
  }
  uint32_t count() const { return count_; }
  std::string_view operator[](uint32_t i) const {
    return std::string_view(bytes_).substr(i * kKeyBytes, kKeyBytes);
  }

 private:
  const uint32_t count_;
  std::string bytes_;
};

void WriteAll(Client* client, const Keys& keys, size_t value_bytes) {
  for (uint32_t i = 0; i < keys.count();) {
    v1::MSetRequest request;
    for (; i < keys.count() && request.entries_size() < 1000; ++i) {
      v1::SetRequest& entry = *request.add_entries();
      entry.set_key(keys[i].data(), kKeyBytes);
      entry.set_value(std::string(value_bytes, 'v'));
    }
    Require(client->MSet(request).status());
  }
}

// Reads every key until the near cache has them all.
void FillAll(NearCache* near, const Keys& keys) {
  constexpr int kAtOnce = 256;
  while (near->stats().entries < keys.count()) {
    std::atomic<int> waiting{0};
    for (uint32_t i = 0; i < keys.count(); ++i) {
      for (int now = waiting; now >= kAtOnce; now = waiting) waiting.wait(now);
      waiting.fetch_add(1);
      near->GetAsync(keys[i], [&](const auto& entry) {
        Require(entry.status());
        waiting.fetch_sub(1);
        waiting.notify_one();
      });
    }
    for (int now = waiting; now != 0; now = waiting) waiting.wait(now);
    if (near->stats().evictions > 0) Require(absl::InternalError("not all keys have room"));
  }
}

double ProcessorSeconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// Which keys a thread reads, in turn.
std::vector<uint32_t> PickKeys(const Settings& settings, int seed) {
  std::mt19937_64 random(seed);
  std::vector<uint32_t> picked(size_t{1} << 18);
  const cli::ZipfSampler zipf(settings.keys, kTheta);
  // Spread over all keys, as neighbouring keys were filled one after the other and lie next to each
  // other in memory.
  const auto spread = [&](uint64_t i) {
    return static_cast<uint32_t>(i * 2'654'435'761 % settings.keys);
  };
  for (uint32_t& key : picked) {
    key = spread(settings.zipf ? zipf(random) : random() % settings.read_keys);
  }
  return picked;
}

struct Rates {
  double hits_per_second = 0;
  double hits_per_cpu_second = 0;
};

Rates Measure(const Settings& settings, NearCache* near, const Keys& keys, int threads) {
  std::barrier together(threads + 1);
  std::atomic<bool> stop{false};
  std::vector<double> processor_seconds(threads);
  std::atomic<uint64_t> bytes_read{0};  // so that the values really are read
  std::vector<std::thread> readers;
  for (int t = 0; t < threads; ++t) {
    readers.emplace_back([&, t] {
      const std::vector<uint32_t> picked = PickKeys(settings, t + 1);
      together.arrive_and_wait();
      const double start = ProcessorSeconds();
      uint64_t sum = 0;
      while (!stop.load(std::memory_order_relaxed)) {
        for (size_t i = 0; i < picked.size(); ++i) {
          const absl::StatusOr<NearEntry> entry = near->Get(keys[picked[i]]);
          if (entry.ok() && entry->found()) sum += static_cast<uint8_t>(entry->value().back());
        }
      }
      processor_seconds[t] = ProcessorSeconds() - start;
      bytes_read += sum;
    });
  }
  together.arrive_and_wait();
  const uint64_t hits_before = near->stats().hits;
  const auto start = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(std::chrono::duration<double>(settings.seconds));
  stop = true;
  for (std::thread& reader : readers) reader.join();
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
  const double hits = static_cast<double>(near->stats().hits - hits_before);
  double processor = 0;
  for (const double seconds : processor_seconds) processor += seconds;
  return {hits / passed.count(), hits / processor};
}

void Run(const Settings& settings) {
  ClientOptions options;
  options.seeds = {settings.server};
  options.default_timeout = absl::Seconds(10);
  absl::StatusOr<std::unique_ptr<Client>> client = Client::Create(options);
  Require(client.status());
  const Keys keys(settings.keys);
  WriteAll(client->get(), keys, settings.value_bytes);
  absl::StatusOr<std::unique_ptr<NearCache>> near =
      NearCache::Create(client->get(), {.key_prefixes = {"near:"}, .max_bytes = size_t{1} << 30});
  Require(near.status());
  FillAll(near->get(), keys);

  const Rates one = Measure(settings, near->get(), keys, 1);
  const Rates two = Measure(settings, near->get(), keys, 2);
  const NearCacheStats stats = (*near)->stats();
  std::cout << nlohmann::json{{"keys", settings.keys},
                              {"read_keys", settings.zipf ? settings.keys : settings.read_keys},
                              {"distribution", settings.zipf ? "zipf 0.99" : "uniform"},
                              {"value_bytes", settings.value_bytes},
                              {"hits_per_second", one.hits_per_second},
                              {"hits_per_cpu_second", one.hits_per_cpu_second},
                              {"hits_per_second_2_threads", two.hits_per_second},
                              {"hits_per_cpu_second_2_threads", two.hits_per_cpu_second},
                              {"bytes_per_entry", stats.bytes / stats.entries},
                              {"stale", stats.stale}}
            << "\n";
}

}  // namespace
}  // namespace ferrite::bench

int main(int argc, char** argv) {
  ferrite::bench::Settings settings;
  CLI::App app("Measures hits of a near cache");
  app.add_option("--server", settings.server, "HOST:PORT of a ferrite-server")
      ->capture_default_str();
  app.add_option("--keys", settings.keys, "Entries that it has")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--read-keys", settings.read_keys, "Entries that are read")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_flag("--zipf", settings.zipf, "Read all entries, by Zipf's law");
  app.add_option("--value-bytes", settings.value_bytes, "Size of a value")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--seconds", settings.seconds, "Time of each measurement")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  settings.read_keys = std::min(settings.read_keys, settings.keys);
  ferrite::bench::Run(settings);
}
