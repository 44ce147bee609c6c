// The decision whether a layer is binary, and the nodes that it becomes. The derivation is in layer.h.
#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "formats/lower/layer.h"
#include "formats/text.h"

namespace bnn::formats {
namespace {

std::string ValuesToString(const FewValued& few) {
  constexpr size_t kMaxShown = 4;
  if (few.levels() > kMaxShown) {
    return std::to_string(few.levels()) + " values from " + NumberText(few.low()[0]) + " to " +
           NumberText(few.high()[0]);
  }
  std::string text = "{";
  for (size_t level = 0; level < few.levels(); ++level) {
    text += (level > 0 ? ", " : "") + NumberText(few.values[level][0]);
  }
  return text + "}";
}

// A Pad of rows and columns with a constant, in front of a convolution.
struct ExplicitPad {
  std::string data;
  int64_t top = 0, left = 0, bottom = 0, right = 0;
  float value = 0;
};

std::optional<ExplicitPad> FindExplicitPad(const Lowering& lowering, const std::string& value) {
  const SourceNode* node = lowering.index.Producer(value);
  if (node == nullptr || node->op != "Pad" || node->HasInput(3)) return std::nullopt;
  if (node->String("mode", "constant") != "constant" || !node->HasInput(1)) return std::nullopt;
  const Tensor* pads = lowering.graph.FindConstant(node->inputs[1]);
  if (pads == nullptr || pads->integers.size() != 8) return std::nullopt;
  const std::vector<int64_t>& p = pads->integers;
  if (p[0] != 0 || p[1] != 0 || p[4] != 0 || p[5] != 0) return std::nullopt;
  if (std::any_of(p.begin(), p.end(), [](int64_t v) { return v < 0; })) return std::nullopt;
  ExplicitPad pad{node->inputs[0], p[2], p[3], p[6], p[7], 0};
  if (node->HasInput(2)) {
    const Tensor* constant = lowering.graph.FindConstant(node->inputs[2]);
    if (constant == nullptr || constant->type != DType::kFloat32 || constant->size() != 1) return std::nullopt;
    pad.value = constant->floats[0];
  }
  return pad;
}

bool HasPadding(const Window2d& w) { return w.pad_top + w.pad_left + w.pad_bottom + w.pad_right > 0; }

// Takes the few-valued data from behind an explicit Pad: its padding and the convolution's own (of zeros) become one.
const FewValued* FindData(const Lowering& lowering, const Layer& layer, BinaryForm* form) {
  form->data = layer.data;
  form->window = layer.window;
  const auto find = [&](const std::string& value) {
    const auto it = lowering.few_valued.values.find(value);
    return it == lowering.few_valued.values.end() ? nullptr : &it->second;
  };
  const std::optional<ExplicitPad> pad = layer.is_conv ? FindExplicitPad(lowering, layer.data) : std::nullopt;
  if (pad && find(pad->data) != nullptr && (!HasPadding(layer.window) || pad->value == 0)) {
    form->data = pad->data;
    form->window.pad_top += pad->top;
    form->window.pad_left += pad->left;
    form->window.pad_bottom += pad->bottom;
    form->window.pad_right += pad->right;
    form->pad_value = pad->value;
  }
  return find(form->data);
}

// What stands between `value` and a few-valued tensor: the nearest refusal upstream, or the operator that makes it.
std::string WhyNotFewValued(const Lowering& lowering, const std::string& value) {
  constexpr int kMaxSteps = 16;
  std::string current = value;
  for (int step = 0; step < kMaxSteps; ++step) {
    const auto refusal = lowering.few_valued.refusals.find(current);
    const SourceNode* node = lowering.index.Producer(current);
    if (refusal != lowering.few_valued.refusals.end() && node != nullptr) {
      return "activations do not take few values: " + node->op + " '" + node->name + "': " + refusal->second;
    }
    if (node == nullptr || node->inputs.empty() || node->op == "Conv" || node->op == "MatMul" || node->op == "Gemm") {
      break;
    }
    current = node->inputs[0];
  }
  const SourceNode* node = lowering.index.Producer(value);
  if (node == nullptr) return "activations do not take few values: '" + value + "' is an input of the network";
  return "activations do not take few values: they come from " + node->op + " '" + node->name + "'";
}

// What made the levels of a few-valued value: the thresholds, behind any operators that moved them since.
std::string WhyFewValued(const Lowering& lowering, const FewValued& few) {
  const SourceNode* maker = nullptr;
  const FewValued* current = &few;
  while (const SourceNode* node = lowering.index.Producer(current->bits)) {
    maker = node;
    const auto moved = lowering.few_valued.values.find(node->inputs[0]);
    if (!lowering.few_valued.values.at(current->bits).source.empty()) break;
    if (moved == lowering.few_valued.values.end()) break;
    current = &moved->second;
  }
  std::string text = "activations " + ValuesToString(few);
  return maker == nullptr ? text : text + " by " + maker->op + " '" + maker->name + "'";
}

std::string DescribeWeights(const WeightMagnitudes& r_w) {
  const auto [least, most] = std::minmax_element(r_w.begin(), r_w.end());
  if (*least == *most) return "weights +-" + NumberText(*least);
  return "weights +-r per output channel, r in [" + NumberText(*least) + ", " + NumberText(*most) + "]";
}

// The values as m_a + r_a * b_a, b_a = 2q - (2^bits - 1).
Status FindGrid(const FewValued& few, BinaryForm* form) {
  while (few.levels() > size_t{1} << form->bits) ++form->bits;
  const double low = few.low()[0], high = few.high()[0];
  const double step = (high - low) / static_cast<double>(few.levels() - 1);
  for (size_t q = 0; q < few.levels(); ++q) {
    // A source computes its levels in floats, each with a rounding or two of its own.
    constexpr double kTolerance = 1e-6;
    const double off = std::fabs(few.values[q][0] - (low + step * static_cast<double>(q)));
    if (off <= kTolerance * std::max(std::fabs(low), std::fabs(high))) continue;
    return Unsupported("activations take values that are no even steps: " + ValuesToString(few) + ", where " +
                       NumberText(few.values[q][0]) + " is value " + std::to_string(q));
  }
  form->r_a = step / 2;
  form->m_a = low + form->r_a * static_cast<double>((1 << form->bits) - 1);
  if (few.is_two_valued()) form->m_a = (low + high) / 2;
  return OkStatus();
}

void ChoosePadding(const FewValued& few, BinaryForm* form) {
  const auto p = static_cast<float>(form->pad_value);
  const bool has_all_levels = few.levels() == size_t{1} << form->bits;
  if (!HasPadding(form->window) || p == few.low()[0]) {
    form->pad = PadValue::kMinusOne;
  } else if (p == few.high()[0] && has_all_levels) {
    form->pad = PadValue::kOne;
  } else {
    form->pad = PadValue::kZero;
    form->corrects_padding = p != 0 || form->m_a != 0;
  }
}

// sum of b_w over the channels of each tap: [out][kernel_h * kernel_w].
std::vector<int64_t> TapSums(const Layer& layer, const std::vector<bool>& bits) {
  const int64_t taps = layer.window.kernel_h * layer.window.kernel_w;
  const int64_t channels = layer.terms / taps;
  std::vector<int64_t> sums(static_cast<size_t>(layer.out_channels * taps), 0);
  for (size_t i = 0; i < bits.size(); ++i) sums[i / static_cast<size_t>(channels)] += bits[i] ? 1 : -1;
  return sums;
}

// The second sum of the derivation where it depends on the position: {out_h, out_w, out}.
std::vector<float> PaddingConstant(const Layer& layer, const BinaryForm& form, const std::vector<int64_t>& tap_sums,
                                   const Dims& in, const Dims& out) {
  const Window2d& w = form.window;
  const int64_t out_h = out[2], out_w = out[3], taps = w.kernel_h * w.kernel_w;
  std::vector<float> constant;
  constant.reserve(static_cast<size_t>(out_h * out_w * layer.out_channels));
  for (int64_t y = 0; y < out_h; ++y) {
    for (int64_t x = 0; x < out_w; ++x) {
      for (int64_t o = 0; o < layer.out_channels; ++o) {
        double inside = 0, padded = 0;
        for (int64_t tap = 0; tap < taps; ++tap) {
          const int64_t row = y * w.stride_h + tap / w.kernel_w * w.dilation_h - w.pad_top;
          const int64_t column = x * w.stride_w + tap % w.kernel_w * w.dilation_w - w.pad_left;
          const bool valid = row >= 0 && row < in[2] && column >= 0 && column < in[3];
          (valid ? inside : padded) += static_cast<double>(tap_sums[static_cast<size_t>(o * taps + tap)]);
        }
        const double r_w = form.r_w[static_cast<size_t>(o)];
        constant.push_back(static_cast<float>(r_w * (form.m_a * inside + form.pad_value * padded)));
      }
    }
  }
  return constant;
}

// acc -> r_a * r_w[c] * acc + offset[c] + bias[c]; nothing where that is acc.
Result<int> ScaleSums(Lowering& lowering, const Layer& layer, const BinaryForm& form,
                      const std::vector<double>& offsets, int acc) {
  std::vector<float> scale, bias;
  for (int64_t o = 0; o < layer.out_channels; ++o) {
    const auto c = static_cast<size_t>(o);
    scale.push_back(static_cast<float>(form.r_a * form.r_w[c]));
    bias.push_back(static_cast<float>(offsets[c] + (layer.bias.empty() ? 0.0 : layer.bias[c])));
  }
  const auto all = [](const std::vector<float>& values, float v) {
    return std::all_of(values.begin(), values.end(), [=](float x) { return x == v; });
  };
  if (all(scale, 1) && all(bias, 0)) return acc;
  if (all(scale, scale[0])) scale.resize(1);
  if (all(bias, bias[0])) bias.resize(1);
  Affine affine;
  affine.scale = lowering.ChannelBlob(scale);
  affine.bias = lowering.ChannelBlob(bias);
  return lowering.Emit(*layer.node, affine, {acc}, layer.node->outputs[0]);
}

// The sums of b_a*b_w of a dense layer, {out}.
Result<int> DenseSums(Lowering& lowering, const Layer& layer, const Form& data, const std::vector<bool>& source_bits) {
  const SourceNode& node = *layer.node;
  const std::string name = node.outputs[0] + "/sums";
  const bool is_map = data.order == Order::kFlattened && lowering.builder.tensor(data.tensor).dims.size() == 3;
  std::vector<bool> bits = source_bits;
  if (data.order == Order::kFlattened) {
    for (int64_t o = 0; o < layer.out_channels; ++o) {
      for (int64_t i = 0; i < layer.terms; ++i) {
        bits[static_cast<size_t>(o * layer.terms + i)] =
            source_bits[static_cast<size_t>(o * layer.terms + SourceIndex(data.map, i))];
      }
    }
  }
  if (!is_map) {
    BDense dense;
    dense.weights = lowering.builder.AddBits({layer.out_channels, layer.terms}, bits);
    return lowering.Emit(node, dense, {data.tensor}, name);
  }
  // One window that covers the whole map.
  BConv2d conv;
  conv.window.kernel_h = data.map.height;
  conv.window.kernel_w = data.map.width;
  conv.weights =
      lowering.builder.AddBits({layer.out_channels, data.map.height, data.map.width, data.map.channels}, bits);
  BNN_ASSIGN_OR_RETURN(const int sums, lowering.Emit(node, conv, {data.tensor}, name));
  return lowering.builder.AddReshape(node.name, sums, {layer.out_channels}, name);
}

}  // namespace

Result<BinaryForm> FindBinaryForm(const Lowering& lowering, const Layer& layer) {
  BinaryForm form;
  const FewValued* few = FindData(lowering, layer, &form);
  if (few == nullptr) return Unsupported(WhyNotFewValued(lowering, layer.data));
  if (!few->per_tensor()) {
    return Unsupported("activations take different values in different channels (" + WhyFewValued(lowering, *few) +
                       ", ...)");
  }
  BNN_RETURN_IF_ERROR(FindGrid(*few, &form));
  const int64_t most_terms = kMaxBinaryTerms / ((1 << form.bits) - 1);
  if (layer.terms > most_terms) {
    return Unsupported("a sum of " + std::to_string(layer.terms) + " terms is above the limit of " +
                       std::to_string(most_terms));
  }
  BNN_ASSIGN_OR_RETURN(form.r_w, SymmetricMagnitudes(FloatTensor({layer.out_channels, layer.terms}, layer.weights), 0));
  ChoosePadding(*few, &form);
  if (form.corrects_padding &&
      BlobBytes(ElementType::kFloat32, StoredDims(lowering.DimsOf(layer.node->outputs[0]))) < 0) {
    return Unsupported("the table that corrects its padding would be too large");
  }
  form.reason = WhyFewValued(lowering, *few) + ", " + DescribeWeights(form.r_w);
  if (form.corrects_padding) form.reason += ", padding corrected by position";
  return form;
}

Result<int64_t> LowerBinaryLayer(Lowering& lowering, const Layer& layer, const BinaryForm& form) {
  const SourceNode& node = *layer.node;
  std::vector<bool> bits;
  bits.reserve(layer.weights.size());
  for (const float w : layer.weights) bits.push_back(w > 0);
  std::vector<double> offsets(static_cast<size_t>(layer.out_channels), 0);  // m_a * r_w[c] * sum b_w
  for (size_t i = 0; !form.corrects_padding && i < bits.size(); ++i) {
    const size_t c = i / static_cast<size_t>(layer.terms);
    offsets[c] += bits[i] ? 1 : -1;
  }
  // Excluded taps have no part in it: kZero without correction means m_a = 0.
  for (size_t c = 0; c < offsets.size(); ++c) offsets[c] *= form.m_a * form.r_w[c];

  BNN_ASSIGN_OR_RETURN(const Form data, lowering.Bits(form.data));
  Form out;
  if (layer.is_conv) {
    const int64_t taps = layer.window.kernel_h * layer.window.kernel_w;
    BConv2d conv;
    conv.window = form.window;
    conv.groups = layer.groups;
    conv.pad_value = form.pad;
    conv.weights = lowering.builder.AddBits(
        {layer.out_channels, layer.window.kernel_h, layer.window.kernel_w, layer.terms / taps}, bits);
    out.order = Order::kNhwc;
    BNN_ASSIGN_OR_RETURN(out.tensor, lowering.Emit(node, conv, {data.tensor}, node.outputs[0] + "/sums"));
  } else {
    BNN_ASSIGN_OR_RETURN(out.tensor, DenseSums(lowering, layer, data, bits));
  }
  BNN_ASSIGN_OR_RETURN(out.tensor, ScaleSums(lowering, layer, form, offsets, out.tensor));
  if (form.corrects_padding) {
    const Dims& out_dims = lowering.DimsOf(node.outputs[0]);
    Binary add;
    add.constant = lowering.builder.AddFloats(
        StoredDims(out_dims), PaddingConstant(layer, form, TapSums(layer, bits), lowering.DimsOf(form.data), out_dims));
    BNN_ASSIGN_OR_RETURN(out.tensor, lowering.Emit(node, add, {out.tensor}, node.outputs[0] + "/padding"));
  }
  lowering.SetFloats(node.outputs[0], out);
  return layer.out_channels * ((layer.terms + 31) / 32) * 4;
}

}  // namespace bnn::formats
