#pragma once

#include <harness/base/error.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace devmap::vm {

/// A figure of one run in a guest, or why there is none.
struct CountedFigure {
  std::string name = {};
  /// "operation", "call" or "frame".
  std::string per = {};
  std::optional<double> instructions = {};
  std::string left_out = {};

  friend bool operator==(const CountedFigure&, const CountedFigure&) = default;
};

/// What `devmap-bench instructions` tells, a JSON object a line, however it is cut into pieces.
class CountStream {
 public:
  /// Fails for a line that is none of that program's; nothing is read from then on.
  Expected<void> feed(std::string_view bytes);

  /// Of the machine, the kernel and the benchmarks, as text; "mitigations" are joined.
  [[nodiscard]] const std::map<std::string, std::string>& context() const { return context_; }
  [[nodiscard]] const std::vector<CountedFigure>& figures() const { return figures_; }
  /// How many figures there are going to be; 0 before that is known.
  [[nodiscard]] std::size_t all() const { return all_; }
  [[nodiscard]] bool has_end() const { return has_end_; }

 private:
  void take(std::string_view line);

  std::string pending_ = {};
  std::map<std::string, std::string> context_ = {};
  std::vector<CountedFigure> figures_ = {};
  std::size_t all_ = 0;
  bool has_end_ = false;
  bool garbled_ = false;
};

}  // namespace devmap::vm
