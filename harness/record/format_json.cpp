#include <harness/record/format.hpp>
#include <harness/record/record_json.hpp>

namespace devmap {
namespace {

using nlohmann::ordered_json;

ordered_json summary_json(const RunRecord& record) {
  ordered_json object;
  const auto counts = record.summary();
  for (const Verdict verdict : kVerdicts) {
    const auto count = counts.find(verdict);
    object[std::string(name_of(verdict))] = count == counts.end() ? 0 : count->second;
  }
  return object;
}

/// Bytes that are no UTF-8 are replaced: a record can always be written.
std::string text_of(const ordered_json& json, int indent) {
  return json.dump(indent, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace

std::string render_json(const RunRecord& record) {
  ordered_json object = {{"schema_version", RunRecord::kSchemaVersion},
                         {"suite", suite_json(record.suite)},
                         {"context", context_json(record.context)},
                         {"summary", summary_json(record)}};
  object["results"] = ordered_json::array();
  for (const auto& result : record.results) object["results"].push_back(result_json(result));
  return text_of(object, 2) + "\n";
}

std::string render_json_by_line(const RunRecord& record) {
  constexpr int kOneLine = -1;
  std::string text = "{\"schema_version\":" + std::to_string(RunRecord::kSchemaVersion);
  text += ",\n\"suite\":" + text_of(suite_json(record.suite), kOneLine);
  text += ",\n\"context\":" + text_of(context_json(record.context), kOneLine);
  text += ",\n\"summary\":" + text_of(summary_json(record), kOneLine);
  text += ",\n\"results\":[";
  const char* separator = "\n";
  for (const auto& result : record.results) {
    text += separator + text_of(result_json(result), kOneLine);
    separator = ",\n";
  }
  return text + "\n]}\n";
}

}  // namespace devmap
