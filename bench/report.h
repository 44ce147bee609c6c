// The results, as tables on stdout while they are measured, and as one JSON document at the end.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <variant>
#include <vector>

namespace bnn::bench {

struct Column {
  std::string key;    // in JSON
  std::string title;  // in the table
  int width = 0;
  int decimals = kText;  // of a number

  static constexpr int kText = -1;  // the column holds text, aligned left; numbers are aligned right
  bool is_text() const { return decimals == kText; }
};

// Empty where a value does not apply: "-" in the table, null in JSON.
using Cell = std::variant<std::monostate, std::string, double>;

class Report {
 public:
  // `context` is what the numbers depend on: processor, compiler, date, ...
  explicit Report(nlohmann::ordered_json context);

  void BeginSection(const std::string& name, const std::string& explanation, std::vector<Column> columns);
  // As many cells as the section has columns.
  void AddRow(const std::vector<Cell>& cells);
  // A remark on the section: what is skipped and why.
  void AddNote(const std::string& note);

  // {"context": {...}, "sections": [{"name", "explanation", "notes": [...], "rows": [{key: value, ...}, ...]}, ...]}
  const nlohmann::ordered_json& json() const { return json_; }

 private:
  nlohmann::ordered_json json_;
  std::vector<Column> columns_;
};

// Writes a temporary file beside `path` and renames it, so that no reader sees half of it. False: errno says why.
bool WriteFile(const std::string& path, const std::string& text);

}  // namespace bnn::bench
