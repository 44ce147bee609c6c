// Runs a fuzz target without libFuzzer, for a bounded time: what every build with sanitizers does as a test. Mutations
// are blind (no coverage guides them); with clang, -DBNN_FUZZ=ON builds the same targets with libFuzzer instead.
//
// Usage: TARGET SECONDS SEED_FOLDER [NUMBER]
// Every seed runs as it is, then mutations of random seeds. The same NUMBER gives the same inputs. An input that takes
// longer than 20 seconds ends the program, as a crash does: the input is then in the file that was named at the start.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <system_error>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
extern "C" [[gnu::weak]] size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned int seed);

namespace {

using Bytes = std::vector<uint8_t>;

constexpr size_t kMaxBytes = size_t{1} << 20;
constexpr unsigned kMaxSeconds = 20;  // of one input

std::mt19937& Random() {
  static std::mt19937 random;
  return random;
}

size_t Below(size_t limit) { return limit == 0 ? 0 : Random()() % limit; }

std::vector<Bytes> ReadSeeds(const std::string& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;  // no folder, no seeds
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<Bytes> seeds;
  for (const std::filesystem::path& file : files) {
    std::ifstream stream(file, std::ios::binary);
    Bytes bytes{std::istreambuf_iterator<char>(stream), {}};
    if (bytes.size() <= kMaxBytes) seeds.push_back(std::move(bytes));
  }
  return seeds;
}

// The input, where it can be found if the target does not come back.
void Run(const Bytes& input, const std::string& file) {
  std::ofstream(file, std::ios::binary).write(reinterpret_cast<const char*>(input.data()), std::ssize(input));
  alarm(kMaxSeconds);
  LLVMFuzzerTestOneInput(input.data(), input.size());
  alarm(0);
}

// Numbers that are often limits.
uint32_t InterestingNumber() {
  static constexpr uint32_t kNumbers[] = {0,      1,      0x7F,       0x80,       0xFF,      0x7FFF,
                                          0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF};
  return kNumbers[Below(std::size(kNumbers))];
}

}  // namespace

// What custom mutators fall back to: one small change anywhere.
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size) {
  const size_t at = Below(size);
  switch (size == 0 ? 3 : Below(6)) {
    case 0:
      data[at] ^= static_cast<uint8_t>(1U << Below(8));
      return size;
    case 1:
      data[at] = static_cast<uint8_t>(Below(256));
      return size;
    case 2: {
      const uint32_t number = InterestingNumber();
      for (size_t i = 0; i < 4 && at + i < size; ++i) data[at + i] = static_cast<uint8_t>(number >> 8 * i);
      return size;
    }
    case 3: {  // bytes inserted
      const size_t count = std::min(1 + Below(8), max_size - size);
      std::copy_backward(data + at, data + size, data + size + count);
      for (size_t i = 0; i < count; ++i) data[at + i] = static_cast<uint8_t>(Below(256));
      return size + count;
    }
    case 4: {  // bytes removed
      const size_t count = std::min(1 + Below(64), size - at);
      std::copy(data + at + count, data + size, data + at);
      return size - count;
    }
    default: {  // bytes from elsewhere
      const size_t from = Below(size), count = std::min({1 + Below(64), size - at, size - from});
      std::memmove(data + at, data + from, count);
      return size;
    }
  }
}

namespace {

Bytes Mutated(Bytes bytes) {
  size_t size = bytes.size();
  bytes.resize(kMaxBytes);
  for (size_t times = 1 + Below(4); times > 0; --times) {
    size = LLVMFuzzerCustomMutator != nullptr ? LLVMFuzzerCustomMutator(bytes.data(), size, kMaxBytes, Random()())
                                              : LLVMFuzzerMutate(bytes.data(), size, kMaxBytes);
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) {
    std::fprintf(stderr, "usage: %s SECONDS SEED_FOLDER [NUMBER]\n", argv[0]);
    return 2;
  }
  const auto number = argc == 4 ? static_cast<unsigned>(std::strtoul(argv[3], nullptr, 10)) : std::random_device()();
  Random().seed(number);
  const std::vector<Bytes> seeds = ReadSeeds(argv[2]);
  if (seeds.empty()) {
    std::fprintf(stderr, "%s: no seeds in %s\n", argv[0], argv[2]);
    return 2;
  }
  const std::string file = std::filesystem::temp_directory_path() / ("bnn_fuzz_input." + std::to_string(getpid()));
  std::printf("number %u, %zu seeds; the input at work is in %s\n", number, seeds.size(), file.c_str());
  std::fflush(stdout);
  for (const Bytes& seed : seeds) Run(seed, file);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(std::strtol(argv[1], nullptr, 10));
  int64_t runs = 0;
  for (; std::chrono::steady_clock::now() < end; ++runs) Run(Mutated(seeds[Below(seeds.size())]), file);
  std::filesystem::remove(file);
  std::printf("%lld mutations\n", static_cast<long long>(runs));
  return 0;
}
