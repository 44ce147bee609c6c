// Chooses how each bits tensor lies in memory: its halo and its grouping. Producers and consumers may disagree (two
// convolutions that pad with different bits, a grouped reader of ungrouped bits); then the reader gets a copy of its
// own.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/compile/fuse.h"
#include "engine/plan.h"
#include "formats/model_def.h"

namespace bnn::engine {

// The layout that a convolution needs for its input of these dims.
BitsLayout LayoutForReader(const formats::TensorDef& tensor, const formats::BConv2d& op);

// True when a reader that needs `wanted` can work on a tensor that lies as `have`.
bool Serves(const BitsLayout& have, const BitsLayout& wanted);

// Sets PlanTensor::bits of every bits tensor of the model (plan tensors are numbered as the model's): the layout that
// its producer can write and that most of its readers can use.
void ChooseBitsLayouts(const formats::ModelDef& model, const Fusion& fusion, Plan* plan);

}  // namespace bnn::engine
