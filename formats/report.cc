#include "formats/report.h"

#include <algorithm>
#include <cstdio>

namespace bnn::formats {
namespace {

// 1234567 -> "1.23 M".
std::string Scaled(int64_t value) {
  static constexpr const char* kUnits[] = {"", " k", " M", " G", " T"};
  auto scaled = static_cast<double>(value);
  size_t unit = 0;
  while (scaled >= 1000 && unit + 1 < std::size(kUnits)) {
    scaled /= 1000;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof(text), unit == 0 ? "%.0f%s" : "%.2f%s", scaled, kUnits[unit]);
  return text;
}

enum class Align { kLeft, kRight };

struct Column {
  const char* title;
  Align align;
};

constexpr Column kColumns[] = {{"layer", Align::kLeft},  {"op", Align::kLeft},           {"runs as", Align::kLeft},
                               {"MACs", Align::kRight},  {"share", Align::kRight},       {"weights (B)", Align::kRight},
                               {"zeros", Align::kRight}, {"in .bnn (B)", Align::kRight}, {"why", Align::kLeft}};

using Row = std::vector<std::string>;

std::string Percent(double part, double whole) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f %%", whole > 0 ? 100 * part / whole : 0.0);
  return text;
}

// Empty where no weight is zero, as in most networks.
std::string Sparsity(double share) { return share == 0 ? "" : Percent(share, 1); }

Row LayerRow(const LayerReport& layer, int64_t all_macs) {
  std::string why = layer.reason;
  if (!layer.binarize_weights.empty()) why += "; BinarizeWeights " + layer.binarize_weights;
  return {layer.name,
          layer.op,
          RunsAsName(layer.runs_as),
          Scaled(layer.macs),
          Percent(static_cast<double>(layer.macs), static_cast<double>(all_macs)),
          std::to_string(layer.source_bytes),
          Sparsity(layer.sparsity),
          std::to_string(layer.model_bytes),
          std::move(why)};
}

Row TotalRow(const std::vector<LayerReport>& layers) {
  int64_t macs = 0, binary_macs = 0, int8_macs = 0, source_bytes = 0, model_bytes = 0, binary_layers = 0;
  double zero_bytes = 0;
  for (const LayerReport& layer : layers) {
    macs += layer.macs;
    binary_macs += layer.is_binary() ? layer.macs : 0;
    int8_macs += layer.runs_as == RunsAs::kInt8 ? layer.macs : 0;
    binary_layers += layer.is_binary() ? 1 : 0;
    source_bytes += layer.source_bytes;
    model_bytes += layer.model_bytes;
    zero_bytes += layer.sparsity * static_cast<double>(layer.source_bytes);
  }
  const auto share = [macs](int64_t part) { return Percent(static_cast<double>(part), static_cast<double>(macs)); };
  std::string text = share(binary_macs) + " of the MACs are binary";
  if (int8_macs > 0) text += ", " + share(int8_macs) + " int8";
  return {"total",
          "",
          std::to_string(binary_layers) + " of " + std::to_string(layers.size()),
          Scaled(macs),
          "",
          std::to_string(source_bytes),
          source_bytes == 0 ? "" : Sparsity(zero_bytes / static_cast<double>(source_bytes)),
          std::to_string(model_bytes),
          text};
}

std::string FormatLine(const Row& row, const std::vector<size_t>& widths) {
  std::string line;
  for (size_t i = 0; i < row.size(); ++i) {
    if (widths[i] == 0) continue;
    const std::string padding(widths[i] - row[i].size(), ' ');
    line += kColumns[i].align == Align::kRight ? padding + row[i] : row[i] + padding;
    line += "  ";
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

// Titles and rows, without the columns that are empty in all rows.
std::string FormatTable(const std::vector<Row>& rows) {
  std::vector<size_t> widths(std::size(kColumns), 0);
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  Row titles;
  for (size_t i = 0; i < widths.size(); ++i) {
    titles.emplace_back(kColumns[i].title);
    if (widths[i] > 0) widths[i] = std::max(widths[i], titles[i].size());
  }
  std::string table = FormatLine(titles, widths);
  for (const Row& row : rows) table += FormatLine(row, widths);
  return table;
}

}  // namespace

const char* RunsAsName(RunsAs runs_as) {
  switch (runs_as) {
    case RunsAs::kFloat:
      return "float";
    case RunsAs::kInt8:
      return "int8";
    case RunsAs::kBinary:
      return "binary";
  }
  return "?";
}

std::string FormatReport(const ConversionReport& report) {
  int64_t macs = 0;
  for (const LayerReport& layer : report.layers) macs += layer.macs;
  std::vector<Row> rows;
  for (const LayerReport& layer : report.layers) rows.push_back(LayerRow(layer, macs));
  rows.push_back(TotalRow(report.layers));
  std::string text = FormatTable(rows);
  for (const std::string& note : report.notes) text += "note: " + note + "\n";
  return text;
}

}  // namespace bnn::formats
