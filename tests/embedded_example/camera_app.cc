// Classifies the frames of a camera: what a program on a device does with bnn.
//
// Set-up may fail and may allocate. The loop does neither: it turns the pixels of a frame into the network's input,
// runs, and takes the class with the highest score, all in memory that set-up made. Ends with an error if a frame
// allocated.
#include <bnn/bnn.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <span>
#include <vector>

#include "tests/api/count_allocations.h"

namespace {

constexpr int kFrames = 100;

int Fail(const char* what, const bnn::Status& status) {
  std::fprintf(stderr, "camera_app: %s: %s\n", what, status.message().c_str());
  return 1;
}

// From bytes in memory: here of a file, on a device perhaps linked into the program. They are not needed afterwards.
bnn::Result<bnn::Model> LoadModel(const char* path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  return bnn::Model::LoadMemory(std::as_bytes(std::span(bytes)));
}

// Stands for the camera: a bright square that wanders over the picture.
void Grab(int frame, int64_t rows, int64_t columns, std::span<uint8_t> pixels) {
  const int64_t top = frame % (rows / 2), left = frame * 3 % (columns / 2);
  for (int64_t y = 0; y < rows; ++y) {
    for (int64_t x = 0; x < columns; ++x) {
      const bool inside = y >= top && y < top + rows / 2 && x >= left && x < left + columns / 2;
      pixels[static_cast<size_t>(y * columns + x)] = inside ? 230 : 10;
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: camera_app MODEL.bnn\n"), 2;

  auto model = LoadModel(argv[1]);
  if (!model.ok()) return Fail(argv[1], model.status());
  auto session = bnn::Session::Create(*model);
  if (!session.ok()) return Fail("session", session.status());

  const bnn::TensorInfo input = model->inputs()[0];
  if (input.dims.size() != 4 || input.dims[0] != 1 || input.dims[1] != 1) {
    return std::fprintf(stderr, "camera_app: the camera is grey: expected an input [1,1,H,W]\n"), 1;
  }
  const float mean = input.mean.empty() ? 0 : input.mean[0];
  const float scale = input.scale.empty() ? 1 : input.scale[0];
  std::vector<uint8_t> pixels(input.size());
  std::vector<float> image(input.size()), scores(session->output_size(0));
  std::vector<int> seen(scores.size());
  if (!bnn::test::CanCountAllocations()) std::printf("this C library does not let allocations be counted\n");

  const bnn::test::Allocations before = bnn::test::CountAllocations();
  for (int frame = 0; frame < kFrames; ++frame) {
    Grab(frame, input.dims[2], input.dims[3], pixels);
    std::transform(pixels.begin(), pixels.end(), image.begin(),
                   [=](uint8_t pixel) { return (static_cast<float>(pixel) - mean) * scale; });
    const bnn::Status status = session->Run(image, scores);
    if (!status.ok()) return Fail("run", status);
    ++seen[static_cast<size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin())];
  }
  const bnn::test::Allocations after = bnn::test::CountAllocations();

  for (size_t c = 0; c < seen.size(); ++c) {
    if (seen[c] > 0) std::printf("class %zu: %d frames\n", c, seen[c]);
  }
  // oneDNN 2, for its part, makes a small table whenever one of its kernels runs, and frees it again.
  const int64_t made = after.by_others - before.by_others, held = after.held() - before.held();
  std::printf("allocations in %d frames: %lld, and %lld by oneDNN; still held: %lld\n", kFrames,
              static_cast<long long>(made), static_cast<long long>(after.by_onednn - before.by_onednn),
              static_cast<long long>(held));
  if (made != 0 || held != 0) return std::fprintf(stderr, "camera_app: frames allocate\n"), 1;
  return 0;
}
