#include <harness/manual/notes.hpp>

#include <regex>
#include <sstream>

namespace devmap::manual {
namespace {

constexpr const char* kExitCodes = "Exit codes: ";
constexpr const char* kExitProse = "Ends with ";
constexpr const char* kCommands = "Commands:";

/// Paragraphs, the lines of each joined to one.
std::vector<std::string> split_paragraphs(const std::string& text) {
  std::vector<std::string> paragraphs(1);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) {
      paragraphs.emplace_back();
    } else {
      paragraphs.back() += (paragraphs.back().empty() ? "" : " ") + line;
    }
  }
  std::erase(paragraphs, std::string());
  return paragraphs;
}

/// "0 all conform, 1 a deviation." A comma parts two of them only where a number follows.
std::vector<std::pair<std::string, std::string>> split_exit_codes(std::string text) {
  if (text.ends_with('.')) text.pop_back();
  static const std::regex number(R"((^|, )(\d+(?: \+ N)?) )");
  std::vector<std::pair<std::string, std::string>> codes;
  for (auto at = std::sregex_iterator(text.begin(), text.end(), number); at != std::sregex_iterator(); ++at) {
    const auto from = static_cast<std::size_t>(at->position() + at->length());
    const auto next = std::next(at);
    const auto to = next == std::sregex_iterator() ? text.size() : static_cast<std::size_t>(next->position());
    codes.emplace_back((*at)[2], text.substr(from, to - from));
  }
  return codes;
}

}  // namespace

Notes read_notes(const std::string& notes) {
  Notes read;
  for (const auto& paragraph : split_paragraphs(notes)) {
    if (paragraph.starts_with(kExitCodes)) {
      read.exit_codes = split_exit_codes(paragraph.substr(std::char_traits<char>::length(kExitCodes)));
    } else if (paragraph.starts_with(kExitProse)) {
      read.exit_prose = paragraph;
    } else if (!paragraph.starts_with(kCommands)) {
      read.paragraphs.push_back(paragraph);
    }
  }
  return read;
}

}  // namespace devmap::manual
