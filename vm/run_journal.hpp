#pragma once

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace devmap::vm {

/// All that is known of a run of the suite, over all boots that it took: what the suite has said in its stream
/// (harness/record/run-stream.schema.json), and what became of the checks that it could not speak of any more.
class RunJournal {
 public:
  using Clock = std::chrono::steady_clock;

  /// What follows comes from a further boot; what was in flight before is in flight no more.
  void begin_boot();

  /// Takes what comes of a stream, however it is cut. A line that is none of a stream is passed over.
  void feed(std::string_view bytes);

  /// Whether the suite has said, in any boot, what it is about to run.
  [[nodiscard]] bool has_run() const { return !run_.is_null(); }
  /// Whether the suite has said in this boot that it is at its end.
  [[nodiscard]] bool has_end() const { return has_end_; }

  /// The names ("RULE/VARIANT") of the checks that have begun in this boot and have no result, in the order in which
  /// they began.
  [[nodiscard]] std::vector<std::string> in_flight() const;
  /// The names of the checks without a result, and of those with one, in the order of the record.
  [[nodiscard]] std::vector<std::string> left() const;
  [[nodiscard]] std::vector<std::string> settled() const;
  /// How often every check is run.
  [[nodiscard]] unsigned repeat() const;

  /// Gives a check, where it is in flight, the verdict that the suite did not live to give, with lines of evidence.
  void settle(const std::string& check, std::string_view verdict, const std::string& reason,
              const std::vector<std::string>& evidence, const std::string& advice);

  /// Gives a check that is left the verdict `unmet`: it is not to be run any more.
  void pass_over(const std::string& check, const std::string& reason, const std::string& advice);

  [[nodiscard]] std::size_t through() const { return results_.size(); }
  [[nodiscard]] std::size_t all() const;
  /// How many results have each verdict; only what occurs.
  [[nodiscard]] const std::map<std::string, std::size_t>& counts() const { return counts_; }

  /// The result record (harness/record/result-record.schema.json), marked partial where checks are left; empty where
  /// the suite has never said what it is about to run. `ran` is how long the suite ran where it did not say so itself.
  [[nodiscard]] std::string record(unsigned boots, std::chrono::duration<double, std::milli> unsaid) const;

 private:
  /// The iteration, and the place among the checks.
  using Place = std::pair<unsigned, std::size_t>;

  void take(const nlohmann::ordered_json& line);
  void add(Place place, nlohmann::ordered_json result);
  /// What the host says of a check in place of the suite.
  void add(Place place, std::string_view verdict, std::chrono::duration<double, std::milli> took,
           const std::vector<std::string>& evidence, const std::string& reason, const std::string& advice);
  /// Whether it has a result, of every iteration.
  [[nodiscard]] bool is_settled(std::size_t check) const;
  [[nodiscard]] std::optional<Place> place_of(const nlohmann::ordered_json& check) const;

  struct InFlight {
    Place place = {};
    Clock::time_point began = {};
  };

  std::string pending_ = {};
  nlohmann::ordered_json run_ = {};
  std::vector<std::string> checks_ = {};
  std::map<std::string, std::size_t, std::less<>> places_ = {};
  std::map<Place, nlohmann::ordered_json> results_ = {};
  std::map<std::string, std::size_t> counts_ = {};
  std::vector<InFlight> in_flight_ = {};
  std::vector<std::string> foreign_warnings_ = {};
  double duration_ms_ = 0;
  bool has_end_ = false;
  bool partial_ = false;
};

}  // namespace devmap::vm
