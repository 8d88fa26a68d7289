#include <harness/manual/notes.hpp>

#include <regex>
#include <sstream>

namespace devmap::manual {
namespace {

constexpr const char* kExitCodes = "Exit codes: ";
constexpr const char* kExitProse = "Ends with ";
constexpr const char* kCommands = "Commands:";
constexpr const char* kExamples = "Examples:";

using Lines = std::vector<std::string>;

std::vector<Lines> split_paragraphs(const std::string& text) {
  std::vector<Lines> paragraphs(1);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) {
      paragraphs.emplace_back();
    } else {
      paragraphs.back().push_back(line);
    }
  }
  std::erase(paragraphs, Lines());
  return paragraphs;
}

std::string joined(const Lines& lines) {
  std::string text;
  for (const auto& line : lines) text += (text.empty() ? "" : " ") + line;
  return text;
}

/// A line that is as far in as the first is a command line.
std::vector<std::pair<std::string, std::string>> split_examples(const Lines& lines) {
  std::vector<std::pair<std::string, std::string>> examples;
  std::size_t depth = 0;
  for (auto line = lines.begin() + 1; line != lines.end(); ++line) {
    const auto begin = line->find_first_not_of(' ');
    if (examples.empty()) depth = begin;
    if (begin <= depth) {
      examples.emplace_back(line->substr(begin), "");
    } else {
      auto& meaning = examples.back().second;
      meaning += (meaning.empty() ? "" : " ") + line->substr(begin);
    }
  }
  return examples;
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
  for (const auto& lines : split_paragraphs(notes)) {
    const auto paragraph = joined(lines);
    if (paragraph.starts_with(kExitCodes)) {
      read.exit_codes = split_exit_codes(paragraph.substr(std::char_traits<char>::length(kExitCodes)));
    } else if (paragraph.starts_with(kExitProse)) {
      read.exit_prose = paragraph;
    } else if (lines.front() == kExamples) {
      read.examples = split_examples(lines);
    } else if (!paragraph.starts_with(kCommands)) {
      read.paragraphs.push_back(paragraph);
    }
  }
  return read;
}

}  // namespace devmap::manual
