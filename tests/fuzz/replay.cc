// Runs a fuzz target without libFuzzer: over the files of a folder, as they are and changed here
// and there, and over pseudo-random inputs.
//
//   store_fuzz_replay CORPUS_FOLDER COUNT

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using Input = std::vector<uint8_t>;

// Changes a few bytes of it, or takes stretches away, or puts some of another input in.
void Change(const Input& other, std::mt19937* random, Input* input) {
  const auto below = [random](size_t most) { return most == 0 ? 0 : (*random)() % most; };
  for (size_t changes = 1 + below(4); changes > 0; --changes) {
    const size_t at = below(input->size());
    const auto place = input->begin() + static_cast<std::ptrdiff_t>(at);
    const auto size = static_cast<std::ptrdiff_t>(below(std::min<size_t>(64, input->size() - at)));
    switch (below(4)) {
      case 0:
        if (!input->empty()) *place = static_cast<uint8_t>((*random)());
        break;
      case 1:
        input->erase(place, place + size);
        break;
      case 2:
        if (!input->empty()) *place ^= static_cast<uint8_t>(1u << below(8));
        break;
      default: {
        const size_t from = below(other.size());
        const size_t count = below(std::min<size_t>(64, other.size() - from));
        const Input piece(other.begin() + static_cast<std::ptrdiff_t>(from),
                          other.begin() + static_cast<std::ptrdiff_t>(from + count));
        input->insert(place, piece.begin(), piece.end());
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s CORPUS_FOLDER COUNT\n", argv[0]);
    return EXIT_FAILURE;
  }
  std::vector<Input> files;
  for (const auto& file : std::filesystem::directory_iterator(argv[1])) {
    std::ifstream in(file.path(), std::ios::binary);
    const Input& input =
        files.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  const uint32_t count = static_cast<uint32_t>(std::strtoul(argv[2], nullptr, 10));
  for (uint32_t seed = 0; seed < count; ++seed) {
    std::mt19937 random(seed);
    Input input(random() % 4096);
    for (uint8_t& byte : input) byte = static_cast<uint8_t>(random());
    LLVMFuzzerTestOneInput(input.data(), input.size());
    if (files.empty()) continue;
    input = files[random() % files.size()];
    Change(files[random() % files.size()], &random, &input);
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  std::printf("%zu files, and %u times one that was changed and a random input\n", files.size(),
              count);
  return !files.empty() ? EXIT_SUCCESS : EXIT_FAILURE;
}
