#include <cases/tests/results.hpp>

#include <boost/property_tree/ptree.hpp>
#include <boost/property_tree/xml_parser.hpp>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

namespace devmap::test {
namespace {

using boost::property_tree::ptree;

Verdicts in_json(const std::string& text) {
  Verdicts verdicts;
  const auto record = nlohmann::json::parse(text);
  for (const auto& result : record.at("results")) {
    verdicts[result.at("rule").get<std::string>() + "/" + result.at("variant").get<std::string>()] =
        result.at("verdict");
  }
  return verdicts;
}

Verdicts in_console(const std::string& text) {
  static const std::regex kFinding(R"(^([a-z]+) ([a-z0-9-]+\.[a-z0-9.-]+) \[([^\]]+)\]$)");
  Verdicts verdicts;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::smatch found;
    if (!std::regex_match(line, found, kFinding)) continue;
    std::istringstream variants(found[3]);
    for (std::string variant; std::getline(variants >> std::ws, variant, ',');) {
      verdicts[found[2].str() + "/" + variant] = found[1];
    }
  }
  return verdicts;
}

Verdicts in_ktap(const std::string& text) {
  static const std::regex kLine(R"(^  (ok|not ok) \d+ (\S+)(?: # ([A-Za-z]+).*)?$)");
  static const std::map<std::string, std::string> kDirectives = {
      {"", "conforms"}, {"SKIP", "unmet"}, {"XFAIL", "known"}, {"TIMEOUT", "timeout"}, {"ERROR", "broken"}};
  Verdicts verdicts;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::smatch found;
    if (!std::regex_match(line, found, kLine)) continue;
    const auto directive = kDirectives.find(found[3]);
    const std::string verdict = directive == kDirectives.end() ? found[3].str() : directive->second;
    const bool failed = fails(verdict_named(verdict).value());
    verdicts[found[2]] = failed == (found[1] == "not ok") ? verdict : verdict + ", but " + found[1].str();
  }
  return verdicts;
}

ptree xml(const std::string& text) {
  std::istringstream stream(text);
  ptree document;
  boost::property_tree::read_xml(stream, document);
  return document;
}

std::string junit_verdict(const ptree& test_case) {
  for (const char* element : {"failure", "error"}) {
    if (const auto child = test_case.get_child_optional(element)) return child->get<std::string>("<xmlattr>.type");
  }
  std::string told = "conforms";
  if (const auto skipped = test_case.get_optional<std::string>("skipped.<xmlattr>.message")) told = *skipped;
  if (const auto output = test_case.get_optional<std::string>("system-out")) told = *output;
  return told.substr(0, told.find_first_of(":\n"));
}

Verdicts in_junit(const std::string& text) {
  Verdicts verdicts;
  const auto document = xml(text);
  for (const auto& [suite_name, suite] : document.get_child("testsuites")) {
    if (suite_name != "testsuite") continue;
    for (const auto& [name, test_case] : suite) {
      if (name != "testcase") continue;
      verdicts[test_case.get<std::string>("<xmlattr>.classname") + "/" + test_case.get<std::string>("<xmlattr>.name")] =
          junit_verdict(test_case);
    }
  }
  return verdicts;
}

/// The objects of a stream that are about this.
std::vector<nlohmann::json> lines_about(const std::string& what, const std::string& text) {
  std::vector<nlohmann::json> found;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto object = nlohmann::json::parse(line);
    if (object.contains(what)) found.push_back(object.at(what));
  }
  return found;
}

Verdicts in_stream(const std::string& text) {
  Verdicts verdicts;
  for (const auto& result : lines_about("result", text)) {
    verdicts[result.at("rule").get<std::string>() + "/" + result.at("variant").get<std::string>()] =
        result.at("verdict");
  }
  return verdicts;
}

}  // namespace

Verdicts verdicts_in(Format format, const std::string& text) {
  switch (format) {
    case Format::console:
      return in_console(text);
    case Format::json:
      return in_json(text);
    case Format::ktap:
      return in_ktap(text);
    case Format::junit:
      return in_junit(text);
    case Format::stream:
      return in_stream(text);
  }
  return {};
}

bool says_partial(Format format, const std::string& text) {
  switch (format) {
    case Format::console:
    case Format::ktap:
      return text.find("(partial: ") != std::string::npos;
    case Format::json:
      return nlohmann::json::parse(text).at("context").at("partial");
    case Format::junit:
      return xml(text).get<std::string>("testsuites.<xmlattr>.name").find("(partial: ") != std::string::npos;
    case Format::stream:
      return lines_about("end", text).at(0).at("partial");
  }
  return false;
}

}  // namespace devmap::test
