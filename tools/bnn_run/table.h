// Text tables whose columns are as wide as their widest cell.
#pragma once

#include <string>
#include <vector>

namespace bnn::run {

enum class Align { kLeft, kRight };

class Table {
 public:
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // As many cells as there are columns.
  void AddRow(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  // A horizontal line, before totals.
  void AddLine() { rows_.emplace_back(); }

  // Lines without trailing spaces, each ended by a newline.
  std::string ToString() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;  // an empty row is a line
};

}  // namespace bnn::run
