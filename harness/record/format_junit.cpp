#include <harness/record/by_chapter.hpp>
#include <harness/record/format.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <boost/property_tree/ptree.hpp>
#include <boost/property_tree/xml_parser.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

namespace devmap {
namespace {

using boost::property_tree::ptree;

/// Without what XML 1.0 cannot hold: control characters, of which a verifier log may have some, and bytes that are no
/// UTF-8, which come with a label.
std::string xml_text(std::string text) {
  using nlohmann::json;
  text = json::parse(json(std::move(text)).dump(-1, ' ', false, json::error_handler_t::replace)).get<std::string>();
  std::erase_if(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t'; });
  return text;
}

std::string seconds(double milliseconds) {
  return fmt::format("{:.6f}", milliseconds / 1000);
}

std::string whole_evidence(const Result& result) {
  std::string text = result.reason.empty() ? "" : result.reason + "\n";
  for (const auto& evidence : result.evidence) text += evidence.text() + "\n";
  if (!result.advice.empty()) text += result.advice + "\n";
  return xml_text(text);
}

ptree test_case(const Result& result) {
  ptree node;
  node.put("<xmlattr>.classname", result.rule);
  node.put("<xmlattr>.name", result.variant);
  node.put("<xmlattr>.time", seconds(result.duration_ms));
  const auto child = [&](const char* element, const std::string& message) {
    auto& detail = node.add(element, whole_evidence(result));
    detail.put("<xmlattr>.message", xml_text(message));
    if (std::string_view(element) != "skipped") detail.put("<xmlattr>.type", std::string(name_of(result.verdict)));
  };
  const std::string mismatch = result.expected + ", observed " + result.observed;
  if (result.verdict == Verdict::deviates) {
    child("failure", mismatch);
  } else if (fails(result.verdict)) {
    child("error", result.reason);
  } else if (result.verdict == Verdict::unmet || result.verdict == Verdict::known) {
    child("skipped", fmt::format("{}: {}", name_of(result.verdict), result.reason));
  } else if (result.verdict != Verdict::conforms || !result.reason.empty()) {
    node.put("system-out", fmt::format("{}\n{}", name_of(result.verdict), whole_evidence(result)));
  }
  return node;
}

}  // namespace

std::string render_junit(const RunRecord& record) {
  const auto label = xml_text(record.context.kernel_label);
  ptree suites;
  suites.put("<xmlattr>.name", "devmap-conformance on " + label +
                                   (record.context.partial ? " (partial: not all that was asked for)" : ""));
  suites.put("<xmlattr>.tests", record.results.size());
  suites.put("<xmlattr>.time", seconds(record.context.duration_ms));
  for (const auto& [chapter, results] : by_chapter(record.results)) {
    const auto count = [&results](auto predicate) { return std::ranges::count_if(results, predicate); };
    double duration_ms = 0;
    for (const Result* result : results) duration_ms += result->duration_ms;
    ptree suite;
    suite.put("<xmlattr>.name", chapter);
    suite.put("<xmlattr>.tests", results.size());
    suite.put("<xmlattr>.failures", count([](const Result* r) { return r->verdict == Verdict::deviates; }));
    suite.put("<xmlattr>.errors",
              count([](const Result* r) { return fails(r->verdict) && r->verdict != Verdict::deviates; }));
    suite.put("<xmlattr>.skipped",
              count([](const Result* r) { return r->verdict == Verdict::unmet || r->verdict == Verdict::known; }));
    suite.put("<xmlattr>.time", seconds(duration_ms));
    suite.put("<xmlattr>.timestamp", record.context.started);
    suite.put("<xmlattr>.hostname", label);
    if (record.context.partial) {
      auto& property = suite.add("properties.property", "");
      property.put("<xmlattr>.name", "partial");
      property.put("<xmlattr>.value", "true");
    }
    for (const Result* result : results) suite.add_child("testcase", test_case(*result));
    suites.add_child("testsuite", suite);
  }
  ptree document;
  document.add_child("testsuites", suites);
  std::ostringstream text;
  boost::property_tree::write_xml(text, document, boost::property_tree::xml_writer_make_settings<std::string>(' ', 2));
  return text.str();
}

}  // namespace devmap
