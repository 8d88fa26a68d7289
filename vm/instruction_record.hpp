#pragma once

#include <vm/count_stream.hpp>

#include <map>
#include <string>
#include <vector>

namespace devmap::vm {

/// What is published of the instruction layer for one kernel (bench/instructions/instruction-record.schema.json).
struct InstructionRecord {
  static constexpr int kSchemaVersion = 1;
  std::map<std::string, std::string> context = {};
  std::vector<CountedFigure> figures = {};

  [[nodiscard]] std::string json() const;
};

/// The figures that two runs of the same machine agree upon, to the last digit, rounded to hundredths; where they do
/// not, or only one has a figure, it is left out with the reason. In the order of the first.
[[nodiscard]] std::vector<CountedFigure> agreed(const std::vector<CountedFigure>& first,
                                                const std::vector<CountedFigure>& second);

/// How many figures two runs both have, and differ in.
[[nodiscard]] std::size_t count_disagreements(const std::vector<CountedFigure>& first,
                                              const std::vector<CountedFigure>& second);

}  // namespace devmap::vm
