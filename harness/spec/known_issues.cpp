#include <harness/spec/known_issues.hpp>

#include <fnmatch.h>

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <harness/base/file.hpp>
#include <nlohmann/json.hpp>
#include <optional>

namespace devmap {
namespace {

/// "line 3, column 14" of a byte, both counted from 1.
std::string place(const std::string& text, std::size_t offset) {
  const auto before = std::string_view(text).substr(0, offset);
  const auto line = std::ranges::count(before, '\n') + 1;
  const auto line_start = before.rfind('\n');
  const auto column = line_start == std::string_view::npos ? offset + 1 : offset - line_start;
  return fmt::format("line {}, column {}", line, column);
}

/// What is wrong, without the library's own idea of where.
std::string_view without_place(std::string_view message) {
  const auto colon = message.find(": ");
  return colon == std::string_view::npos ? message : message.substr(colon + 2);
}

/// A field that must be a text where it is there.
std::optional<std::string> text_field(const nlohmann::json& entry, const char* name) {
  const auto field = entry.find(name);
  if (field == entry.end() || field->is_null()) return std::nullopt;
  return field->get<std::string>();
}

std::optional<KernelVersion> version_field(const nlohmann::json& entry, const char* name) {
  const auto text = text_field(entry, name);
  if (!text) return std::nullopt;
  const auto version = KernelVersion::parse(*text);
  if (!version) throw std::invalid_argument(fmt::format("\"{}\" is \"{}\", not a kernel version", name, *text));
  return version;
}

void expect_known_fields(const nlohmann::json& entry) {
  constexpr std::array<std::string_view, 6> kFields = {"rule", "variant", "reason", "link", "since", "until"};
  for (const auto& field : entry.items()) {
    if (std::ranges::find(kFields, field.key()) != kFields.end()) continue;
    throw std::invalid_argument(fmt::format("no field is called \"{}\"", field.key()));
  }
}

}  // namespace

Expected<KnownIssues> KnownIssues::parse(const std::string& text, const std::string& file_name) {
  const auto fault = [&](const std::string& what) { return failure("known issues", 0, file_name + ": " + what); };
  KnownIssues issues;
  std::size_t number = 0;
  try {
    const auto document = nlohmann::json::parse(text);
    if (document.at("schema_version") != 1) return fault("\"schema_version\" is not 1");
    for (const auto& entry : document.at("known")) {
      ++number;
      const auto rule = text_field(entry, "rule");
      const auto reason = text_field(entry, "reason");
      if (!rule || !reason) return fault(fmt::format("entry {} of \"known\" lacks \"rule\" or \"reason\"", number));
      expect_known_fields(entry);
      issues.entries_.push_back({.rule = *rule,
                                 .variant = text_field(entry, "variant").value_or("*"),
                                 .issue = {.reason = *reason,
                                           .link = text_field(entry, "link").value_or(""),
                                           .since = version_field(entry, "since").value_or(KernelVersion{}),
                                           .until = version_field(entry, "until")}});
    }
  } catch (const nlohmann::json::parse_error& error) {
    // The library counts bytes from 1, and the end of the text as one more.
    const std::size_t offset = error.byte == 0 ? 0 : error.byte - 1;
    return fault(fmt::format("{}: not JSON: {}", place(text, offset), without_place(error.what())));
  } catch (const std::exception& error) {  // of nlohmann::json's type errors, or of the functions above
    return fault(number == 0 ? error.what() : fmt::format("entry {} of \"known\": {}", number, error.what()));
  }
  return issues;
}

Expected<KnownIssues> KnownIssues::read(const std::string& file_name) {
  const auto text = read_file(file_name);
  if (!text) return std::unexpected(text.error());
  return parse(*text, file_name);
}

const KnownIssue* KnownIssues::find(std::string_view rule, std::string_view variant,
                                    const KernelVersion& kernel) const {
  const auto matches = [](const std::string& glob, std::string_view name) {
    return fnmatch(glob.c_str(), std::string(name).c_str(), 0) == 0;
  };
  const auto found = std::ranges::find_if(entries_, [&](const Entry& entry) {
    return matches(entry.rule, rule) && matches(entry.variant, variant) && entry.issue.covers(kernel);
  });
  return found == entries_.end() ? nullptr : &found->issue;
}

}  // namespace devmap
