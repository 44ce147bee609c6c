// PNG and JPEG photographs as arrays of pixels.
#pragma once

#include <cstdint>
#include <string>

#include "bnn/status.h"
#include "tools/bnn_run/array.h"

namespace bnn::run {

// uint8 [1,height,width,channels]. `channels` is 1 (gray) or 3 (RGB). Colour becomes gray by (77 R + 150 G + 29 B) /
// 256, gray becomes RGB by repetition, an alpha channel is dropped and 16-bit samples are cut to 8. An image of another
// size is stretched to height x width, without keeping its aspect ratio or cropping, by a triangle filter: bilinear
// where it grows, an average over the covered area where it shrinks.
Result<Array> ReadImage(const std::string& path, int64_t height, int64_t width, int64_t channels);

}  // namespace bnn::run
