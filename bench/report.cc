#include "bench/report.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <utility>

namespace bnn::bench {
namespace {

std::string TextOf(const Cell& cell, const Column& column) {
  if (const auto* text = std::get_if<std::string>(&cell)) return fmt::format("{:<{}}", *text, column.width);
  if (const auto* number = std::get_if<double>(&cell); number != nullptr && std::isfinite(*number)) {
    return fmt::format("{:>{}.{}f}", *number, column.width, column.decimals);
  }
  return column.is_text() ? fmt::format("{:<{}}", "-", column.width) : fmt::format("{:>{}}", "-", column.width);
}

nlohmann::ordered_json JsonOf(const Cell& cell) {
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  if (const auto* number = std::get_if<double>(&cell); number != nullptr && std::isfinite(*number)) return *number;
  return nullptr;
}

void PrintLine(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

}  // namespace

Report::Report(nlohmann::ordered_json context) {
  for (const auto& [key, value] : context.items()) {
    PrintLine(fmt::format("{:<12} {}", key, value.is_string() ? value.get<std::string>() : value.dump()));
  }
  json_["context"] = std::move(context);
  json_["sections"] = nlohmann::ordered_json::array();
}

void Report::BeginSection(const std::string& name, const std::string& explanation, std::vector<Column> columns) {
  columns_ = std::move(columns);
  nlohmann::ordered_json section;
  section["name"] = name;
  section["explanation"] = explanation;
  section["notes"] = nlohmann::ordered_json::array();
  section["rows"] = nlohmann::ordered_json::array();
  json_["sections"].push_back(std::move(section));

  PrintLine(fmt::format("\n{}: {}\n", name, explanation));
  std::string titles;
  for (const Column& column : columns_) {
    titles += column.is_text() ? fmt::format("{:<{}}  ", column.title, column.width)
                               : fmt::format("{:>{}}  ", column.title, column.width);
  }
  PrintLine(titles);
  PrintLine(std::string(titles.size() - 2, '-'));
}

void Report::AddRow(const std::vector<Cell>& cells) {
  nlohmann::ordered_json row;
  std::string line;
  for (size_t i = 0; i < columns_.size(); ++i) {
    line += TextOf(cells[i], columns_[i]) + "  ";
    row[columns_[i].key] = JsonOf(cells[i]);
  }
  json_["sections"].back()["rows"].push_back(std::move(row));
  PrintLine(line);
}

void Report::AddNote(const std::string& note) {
  json_["sections"].back()["notes"].push_back(note);
  PrintLine(note);
}

bool WriteFile(const std::string& path, const std::string& text) {
  const std::string temporary = path + ".part";
  std::FILE* const file = std::fopen(temporary.c_str(), "wb");
  if (file == nullptr) return false;
  bool done = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  done = std::fclose(file) == 0 && done;
  if (done && std::rename(temporary.c_str(), path.c_str()) == 0) return true;
  std::remove(temporary.c_str());
  return false;
}

}  // namespace bnn::bench
