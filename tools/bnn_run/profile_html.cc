#include "tools/bnn_run/profile_html.h"

#include <string_view>

namespace bnn::run {

// profile.html, made a string at build time (embed_text.cmake).
extern const char* const kProfilePage;

namespace {

// Where the page expects the report, as the text of a <script type="application/json">.
constexpr std::string_view kPlaceholder = "{\"report\": \"placeholder\"}";

// In JSON '<' can only be within strings, where it may be written as an escape: so nothing in a layer's name can end
// the script element or begin a comment.
std::string WithoutMarkup(const std::string& json) {
  std::string text;
  for (const char c : json) {
    if (c == '<') {
      text += "\\u003c";
    } else {
      text += c;
    }
  }
  return text;
}

}  // namespace

std::string ToHtml(const Report& report) {
  std::string page = kProfilePage;
  page.replace(page.find(kPlaceholder), kPlaceholder.size(), WithoutMarkup(ToJson(report)));
  return page;
}

}  // namespace bnn::run
