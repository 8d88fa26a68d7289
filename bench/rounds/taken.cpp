#include <bench/rounds/taken.hpp>

#include <nlohmann/json.hpp>

namespace devmap::bench {

std::string TakenSample::json_line() const {
  nlohmann::ordered_json json = {
      {"benchmark", benchmark}, {"round", round},
      {"copy", copy},           {"each", each},
      {"discarded", discarded}, {"frames", {frames.sent, frames.expected, frames.delivered, frames.late}},
      {"hindered", hindered},   {"unmet", unmet},
      {"fault", fault}};
  if (canaries) json["canaries"] = {canaries->before, canaries->after};
  return json.dump() + "\n";
}

Expected<TakenSample> TakenSample::from_json_line(std::string_view line) {
  try {
    const auto json = nlohmann::json::parse(line);
    const auto& frames = json.at("frames");
    TakenSample sample{
        .benchmark = json.at("benchmark"),
        .round = json.at("round"),
        .copy = json.at("copy"),
        .each = json.at("each"),
        .discarded = json.at("discarded"),
        .frames = {.sent = frames.at(0), .expected = frames.at(1), .delivered = frames.at(2), .late = frames.at(3)},
        .hindered = json.at("hindered"),
        .unmet = json.at("unmet"),
        .fault = json.at("fault")};
    if (const auto canaries = json.find("canaries"); canaries != json.end()) {
      sample.canaries = Canaries{.before = canaries->at(0), .after = canaries->at(1)};
    }
    return sample;
  } catch (const nlohmann::json::exception& bad) {
    return failure("read a sample", 0, bad.what());
  }
}

}  // namespace devmap::bench
