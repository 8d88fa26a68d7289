#include <vm/run_journal.hpp>

#include <harness/record/verdict.hpp>

#include <algorithm>
#include <tuple>

namespace devmap::vm {

using nlohmann::ordered_json;

void RunJournal::begin_boot() {
  pending_.clear();
  in_flight_.clear();
  has_end_ = false;
}

void RunJournal::feed(std::string_view bytes) {
  pending_.append(bytes);
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = pending_.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const auto line = ordered_json::parse(std::string_view(pending_).substr(begin, end - begin), nullptr, false);
    if (!line.is_object() || line.size() != 1) continue;
    try {
      take(line);
    } catch (const ordered_json::exception&) {
      // A field that is not as the schema has it: no line of a stream.
      continue;
    }
  }
  pending_.erase(0, begin);
}

void RunJournal::take(const ordered_json& line) {
  const auto& what = line.begin().value();
  if (line.contains("run") && run_.is_null()) {
    checks_ = what.at("checks").get<std::vector<std::string>>();
    for (std::size_t i = 0; i < checks_.size(); ++i) places_.emplace(checks_.at(i), i);
    run_ = what;
    run_.erase("checks");
  } else if (line.contains("begun")) {
    if (const auto place = place_of(what)) in_flight_.push_back({.place = *place, .began = Clock::now()});
  } else if (line.contains("result")) {
    const auto place = place_of(what);
    if (!place) return;
    std::erase_if(in_flight_, [&](const InFlight& check) { return check.place == *place; });
    add(*place, what);
  } else if (line.contains("end")) {
    duration_ms_ += what.at("duration_ms").get<double>();
    partial_ = what.at("partial").get<bool>();
    for (const auto& warning : what.at("foreign_warnings")) foreign_warnings_.push_back(warning);
    has_end_ = true;
  }
}

std::optional<RunJournal::Place> RunJournal::place_of(const ordered_json& check) const {
  const auto name = check.at("rule").get<std::string>() + "/" + check.at("variant").get<std::string>();
  const auto found = places_.find(name);
  if (found == places_.end()) return std::nullopt;
  return Place{check.value("iteration", 1U), found->second};
}

void RunJournal::add(Place place, ordered_json result) {
  const auto verdict = result.at("verdict").get<std::string>();
  if (results_.emplace(place, std::move(result)).second) ++counts_[verdict];
}

std::vector<std::string> RunJournal::in_flight() const {
  std::vector<std::string> names;
  names.reserve(in_flight_.size());
  for (const auto& check : in_flight_) names.push_back(checks_.at(check.place.second));
  return names;
}

bool RunJournal::is_settled(std::size_t check) const {
  for (unsigned iteration = 1; iteration <= repeat(); ++iteration) {
    if (!results_.contains({iteration, check})) return false;
  }
  return true;
}

std::vector<std::string> RunJournal::left() const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < checks_.size(); ++i) {
    if (!is_settled(i)) names.push_back(checks_.at(i));
  }
  return names;
}

std::vector<std::string> RunJournal::settled() const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < checks_.size(); ++i) {
    if (is_settled(i)) names.push_back(checks_.at(i));
  }
  return names;
}

unsigned RunJournal::repeat() const {
  return run_.is_null() ? 1U : run_.at("repeat").get<unsigned>();
}

std::size_t RunJournal::all() const {
  return checks_.size() * repeat();
}

void RunJournal::settle(const std::string& check, std::string_view verdict, const std::string& reason,
                        const std::vector<std::string>& evidence, const std::string& advice) {
  const auto found = std::ranges::find_if(
      in_flight_, [&](const InFlight& candidate) { return checks_.at(candidate.place.second) == check; });
  if (found == in_flight_.end()) return;
  const InFlight settled = *found;
  in_flight_.erase(found);
  add(settled.place, verdict, Clock::now() - settled.began, evidence, reason, advice);
}

void RunJournal::pass_over(const std::string& check, const std::string& reason, const std::string& advice) {
  const auto place = places_.find(check);
  if (place != places_.end()) add({1, place->second}, "unmet", {}, {}, reason, advice);
}

void RunJournal::add(Place place, std::string_view verdict, std::chrono::duration<double, std::milli> took,
                     const std::vector<std::string>& evidence, const std::string& reason, const std::string& advice) {
  const auto& check = checks_.at(place.second);
  const auto slash = check.find('/');
  ordered_json result = {{"rule", check.substr(0, slash)},
                         {"variant", check.substr(slash + 1)},
                         {"verdict", verdict},
                         {"duration_ms", took.count()},
                         {"expected", ""},
                         {"observed", ""},
                         {"evidence", ordered_json::array()},
                         {"reason", reason},
                         {"advice", advice}};
  for (const auto& text : evidence) result["evidence"].push_back({{"role", "note"}, {"did", text}});
  if (place.first != 1) result["iteration"] = place.first;
  add(place, std::move(result));
}

std::string RunJournal::record(unsigned boots, std::chrono::duration<double, std::milli> unsaid) const {
  if (!has_run()) return {};
  ordered_json record = {
      {"schema_version", run_.at("schema_version")}, {"suite", run_.at("suite")}, {"context", run_.at("context")}};
  auto& context = record["context"];
  context["foreign_warnings"] = foreign_warnings_;
  context["duration_ms"] = duration_ms_ + unsaid.count();
  context["partial"] = partial_ || results_.size() < all();
  context["boots"] = boots;
  for (const Verdict verdict : kVerdicts) {
    const auto count = counts_.find(std::string(name_of(verdict)));
    record["summary"][std::string(name_of(verdict))] = count == counts_.end() ? 0 : count->second;
  }
  record["results"] = ordered_json::array();
  for (const auto& [place, result] : results_) record["results"].push_back(result);
  return record.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace devmap::vm
