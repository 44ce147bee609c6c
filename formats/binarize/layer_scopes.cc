#include "formats/binarize/layer_scopes.h"

#include <algorithm>
#include <cctype>
#include <numeric>
#include <regex>
#include <utility>

namespace bnn::formats {
namespace {

constexpr size_t kMaxScopeLength = 512;
constexpr size_t kNearest = 3;

std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  size_t start = 0;
  for (size_t end = text.find(separator); end != std::string::npos; end = text.find(separator, start)) {
    parts.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  parts.push_back(text.substr(start));
  return parts;
}

// "/layer2/layer2.0/Conv" -> layer2, 0. A part that begins with the one before it and a dot names its child; dots in
// other parts stand for modules that are not called themselves (ModuleList).
std::vector<std::string> PathOfNodeName(const std::string& name) {
  std::vector<std::string> parts = Split(name.substr(1), '/');
  parts.pop_back();  // the operator
  std::vector<std::string> path;
  std::string before;
  for (const std::string& part : parts) {
    const bool child = !before.empty() && part.starts_with(before + ".");
    for (std::string& name_part : Split(child ? part.substr(before.size() + 1) : part, '.')) {
      path.push_back(std::move(name_part));
    }
    before = part;
  }
  return path;
}

NodeAddress AddressOf(const SourceGraph& graph, const SourceNode& node) {
  NodeAddress address;
  address.node = node.name;
  const Tensor* weights = node.HasInput(1) ? graph.FindConstant(node.inputs[1]) : nullptr;
  if (node.op == "Conv" && weights != nullptr && weights->dims.size() == 4) address.op = "conv2d";
  if ((node.op == "Gemm" || node.op == "MatMul") && weights != nullptr) address.op = "linear";
  constexpr std::string_view kWeight = ".weight";
  if (node.name.starts_with("/")) {
    address.path = PathOfNodeName(node.name);
  } else if (!address.op.empty() && node.inputs[1].ends_with(kWeight)) {
    address.path = Split(node.inputs[1].substr(0, node.inputs[1].size() - kWeight.size()), '.');
  }
  return address;
}

bool IsIdentifier(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

std::string WithoutNncf(std::string text) {
  for (size_t at = text.find("NNCF"); at != std::string::npos; at = text.find("NNCF", at)) {
    if (at == 0 || text[at - 1] == '/') {
      text.erase(at, 4);
    } else {
      at += 4;
    }
  }
  return text;
}

// An exact scope, taken apart: the names in brackets, and the operator or "".
struct ExactScope {
  std::vector<std::string> path;
  std::string op;
};

// Nothing where the text is no address (then it may still be the name of a node).
bool ParseExactScope(const std::string& text, ExactScope* scope) {
  const std::vector<std::string> parts = Split(text, '/');
  for (size_t i = 0; i < parts.size(); ++i) {
    const std::string& part = parts[i];
    const size_t bracket = part.find('[');
    if (bracket != std::string::npos) {
      if (bracket == 0 || part.back() != ']') return false;
      scope->path.push_back(part.substr(bracket + 1, part.size() - bracket - 2));
    } else if (i > 0) {
      // conv2d_0: the operator and how often it was called before.
      const size_t number = part.find_last_of('_');
      if (i + 1 != parts.size() || number == std::string::npos || number == 0) return false;
      scope->op = part.substr(0, number);
    }
  }
  return !scope->path.empty();
}

bool Matches(const ExactScope& scope, const NodeAddress& address) {
  if (address.path.size() < scope.path.size()) return false;
  if (!std::equal(scope.path.begin(), scope.path.end(), address.path.begin())) return false;
  if (scope.op.empty()) return true;
  const bool is_layer = scope.op == "conv2d" || scope.op == "linear";
  return address.path.size() == scope.path.size() && (address.op == scope.op || (address.op.empty() && !is_layer));
}

// The end of the root's name, as in ResNet/..., where one begins at `at`: a capital, as classes have, and a slash
// behind it.
size_t EndOfRoot(const std::string& pattern, size_t at) {
  if (at > 0 && std::string_view("^(|:").find(pattern[at - 1]) == std::string_view::npos) return at;
  if (at >= pattern.size() || std::isupper(static_cast<unsigned char>(pattern[at])) == 0) return at;
  size_t end = at;
  while (end < pattern.size() && IsIdentifier(pattern[end])) ++end;
  return end < pattern.size() && pattern[end] == '/' ? end : at;
}

// The expression for addresses without class names, as the header describes. What followed the root must still stand at
// the beginning.
std::string WithoutClasses(const std::string& pattern) {
  std::string out;
  for (size_t at = 0; at < pattern.size(); ++at) {
    if (const size_t end = EndOfRoot(pattern, at); end > at) {
      out += '^';
      at = end;
    }
    if (pattern.compare(at, 2, "\\[") == 0) {
      size_t begin = out.size();
      while (begin > 0 && IsIdentifier(out[begin - 1])) --begin;
      const std::string name = out.substr(begin);
      if (name != "Conv2d" && name != "NNCFConv2d" && name != "Linear" && name != "NNCFLinear") out.resize(begin);
    }
    out += pattern[at];
  }
  return out;
}

// Searching by this takes time proportional to the lengths of pattern and text where the library can guarantee it.
constexpr std::regex::flag_type kSyntax = std::regex::ECMAScript
#ifdef __GLIBCXX__
                                          | std::regex_constants::__polynomial
#endif
    ;

Result<std::set<std::string>> MatchRegex(const std::vector<NodeAddress>& addresses, const std::string& pattern) {
  std::set<std::string> matched;
  try {
    const std::regex exact(pattern, kSyntax), without_classes(WithoutClasses(pattern), kSyntax);
    for (const NodeAddress& address : addresses) {
      const std::string text = address.Text();
      if (std::regex_search(address.node, exact) ||
          (!address.path.empty() &&
           (std::regex_search(text, without_classes) || std::regex_search(WithoutNncf(text), without_classes)))) {
        matched.insert(address.node);
      }
    }
  } catch (const std::regex_error& error) {
    return InvalidArgument(std::string("no regular expression: ") + error.what());
  }
  return matched;
}

std::set<std::string> MatchExact(const std::vector<NodeAddress>& addresses, const std::string& text) {
  std::set<std::string> matched;
  ExactScope scope;
  const bool is_address = ParseExactScope(text, &scope);
  for (const NodeAddress& address : addresses) {
    if (address.node == text || (is_address && Matches(scope, address))) matched.insert(address.node);
  }
  return matched;
}

// How many characters must be inserted, deleted or replaced to make one text of the other.
size_t EditDistance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

// The layers whose addresses or names are nearest to the scope.
std::string Nearest(const std::vector<NodeAddress>& addresses, const std::string& scope) {
  std::string bare = scope;
  std::erase(bare, '\\');
  std::string escaped;  // "[" as in an expression, so that class names can be taken out in the same way
  for (const char c : bare) escaped += c == '[' ? std::string("\\[") : std::string(1, c);
  std::string without_classes = WithoutClasses(escaped);
  std::erase(without_classes, '\\');
  std::erase(without_classes, '^');
  std::vector<std::pair<size_t, std::string>> found;
  for (const NodeAddress& address : addresses) {
    if (address.op.empty()) continue;
    const std::string node = address.node.substr(0, kMaxScopeLength);
    size_t distance = EditDistance(bare, node);
    std::string text = "'" + node + "'";
    if (!address.path.empty()) {
      const std::string shown = address.Text().substr(0, kMaxScopeLength);
      distance = std::min(distance, EditDistance(without_classes, shown));
      text += " = " + shown;
    }
    found.emplace_back(distance, std::move(text));
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string list;
  for (size_t i = 0; i < std::min(kNearest, found.size()); ++i) list += (i > 0 ? ", " : "") + found[i].second;
  return list.empty() ? "the network has no layers" : "nearest: " + list;
}

}  // namespace

std::string NodeAddress::Text() const {
  std::string text;
  for (size_t i = 0; i < path.size(); ++i) {
    text += '/';
    if (i + 1 == path.size() && !op.empty()) text += op == "conv2d" ? "NNCFConv2d" : "NNCFLinear";
    text += '[';
    text += path[i];
    text += ']';
  }
  return op.empty() ? text : text + "/" + op + "_0";
}

std::vector<NodeAddress> AddressesOf(const SourceGraph& graph) {
  std::vector<NodeAddress> addresses;
  for (const SourceNode& node : graph.nodes) addresses.push_back(AddressOf(graph, node));
  return addresses;
}

Result<std::set<std::string>> MatchScopes(const std::vector<NodeAddress>& addresses,
                                          const std::vector<std::string>& scopes, const std::string& key,
                                          bool validate) {
  constexpr std::string_view kRegex = "{re}";
  std::set<std::string> matched;
  for (const std::string& scope : scopes) {
    const std::string shown = "'" + key + "': \"" + scope.substr(0, kMaxScopeLength) + "\"";
    if (scope.size() > kMaxScopeLength) {
      return InvalidArgument(shown + " has more than " + std::to_string(kMaxScopeLength) + " characters");
    }
    std::string text = scope;
    const bool is_regex = text.find(kRegex) != std::string::npos;
    if (is_regex) text.erase(text.find(kRegex), kRegex.size());
    Result<std::set<std::string>> found = is_regex ? MatchRegex(addresses, text) : MatchExact(addresses, text);
    if (!found.ok()) return InvalidArgument(shown + ": " + found.status().message());
    if (validate && found->empty()) {
      return InvalidArgument(shown + " matches nothing; " + Nearest(addresses, text));
    }
    matched.merge(*found);
  }
  return matched;
}

}  // namespace bnn::formats
