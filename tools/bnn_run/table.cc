#include "tools/bnn_run/table.h"

#include <algorithm>

namespace bnn::run {
namespace {

constexpr size_t kGap = 2;

// Characters of UTF-8 text: all bytes but continuation bytes.
size_t Width(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

std::string Table::ToString() const {
  std::vector<size_t> widths;
  size_t total = 0;
  for (size_t c = 0; c < columns_.size(); ++c) {
    size_t width = Width(columns_[c].title);
    for (const auto& row : rows_) width = std::max(width, row.empty() ? 0 : Width(row[c]));
    widths.push_back(width);
    total += width + (c == 0 ? 0 : kGap);
  }
  std::string text;
  const auto add_row = [&](const auto& cell) {
    std::string line;
    for (size_t c = 0; c < columns_.size(); ++c) {
      const std::string padding(widths[c] - Width(cell(c)), ' ');
      if (c > 0) line.append(kGap, ' ');
      line += columns_[c].align == Align::kRight ? padding + cell(c) : cell(c) + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  add_row([&](size_t c) -> const std::string& { return columns_[c].title; });
  text += std::string(total, '-') + "\n";
  for (const auto& row : rows_) {
    if (row.empty()) {
      text += std::string(total, '-') + "\n";
    } else {
      add_row([&](size_t c) -> const std::string& { return row[c]; });
    }
  }
  return text;
}

}  // namespace bnn::run
