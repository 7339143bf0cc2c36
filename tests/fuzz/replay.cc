// Runs a fuzz target without libFuzzer: over the files of a folder, and over pseudo-random inputs.
//
//   store_fuzz_replay CORPUS_FOLDER COUNT

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s CORPUS_FOLDER COUNT\n", argv[0]);
    return EXIT_FAILURE;
  }
  int files = 0;
  for (const auto& file : std::filesystem::directory_iterator(argv[1])) {
    std::ifstream in(file.path(), std::ios::binary);
    const std::vector<uint8_t> input{std::istreambuf_iterator<char>(in), {}};
    LLVMFuzzerTestOneInput(input.data(), input.size());
    ++files;
  }
  const uint32_t count = static_cast<uint32_t>(std::strtoul(argv[2], nullptr, 10));
  for (uint32_t seed = 0; seed < count; ++seed) {
    std::mt19937 random(seed);
    std::vector<uint8_t> input(random() % 4096);
    for (uint8_t& byte : input) byte = static_cast<uint8_t>(random());
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  std::printf("%d files and %u random inputs\n", files, count);
  return files > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
