#include <bench/rounds/record.hpp>

#include <nlohmann/json.hpp>

namespace devmap::bench {
namespace {

using nlohmann::ordered_json;

ordered_json interval_json(const RatioInterval& interval) {
  return {{"ratio", interval.ratio}, {"low", interval.low}, {"high", interval.high}};
}

ordered_json facts_json(const Facts& facts) {
  ordered_json json = ordered_json::object();
  if (!facts.map_type.empty()) json["map_type"] = facts.map_type;
  if (facts.max_entries != 0) json["max_entries"] = facts.max_entries;
  if (facts.frame_length != 0) json["frame_length"] = facts.frame_length;
  if (facts.batch != 0) json["batch"] = facts.batch;
  if (!facts.peer.empty()) json["peer"] = facts.peer;
  json["processors"] = facts.processors;
  return json;
}

ordered_json figure_json(const Figure& figure) {
  ordered_json json = {{"name", figure.benchmark},         {"facts", facts_json(figure.facts)},
                       {"status", name_of(figure.status)}, {"unit", "ns"},
                       {"kept", figure.samples.size()},    {"taken", figure.taken}};
  if (!figure.reason.empty()) json["reason"] = figure.reason;
  if (figure.quantiles) {
    json["median"] = figure.quantiles->median;
    json["p10"] = figure.quantiles->p10;
    json["p90"] = figure.quantiles->p90;
  }
  if (figure.to_itself) json["to_itself"] = interval_json(*figure.to_itself);
  if (!figure.baseline.empty()) json["baseline"] = figure.baseline;
  if (figure.to_baseline) json["to_baseline"] = interval_json(*figure.to_baseline);
  if (figure.frames.sent > 0) {
    json["frames"] = {{"sent", figure.frames.sent},
                      {"expected", figure.frames.expected},
                      {"delivered", figure.frames.delivered},
                      {"late", figure.frames.late}};
  }
  json["samples"] = figure.samples;
  return json;
}

}  // namespace

std::string_view name_of(Figure::Status status) {
  switch (status) {
    case Figure::Status::reliable:
      return "reliable";
    case Figure::Status::unreliable:
      return "unreliable";
    case Figure::Status::unmet:
      return "unmet";
    case Figure::Status::failed:
      return "failed";
  }
  return "unknown";
}

std::string TimeRecord::json() const {
  ordered_json json = {{"schema_version", kSchemaVersion}, {"layer", "time"}, {"context", context}};
  json["benchmarks"] = ordered_json::array();
  for (const auto& figure : figures) json["benchmarks"].push_back(figure_json(figure));
  return json.dump(2) + "\n";
}

}  // namespace devmap::bench
