#include <vm/instruction_record.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace devmap::vm {
namespace {

const CountedFigure* find(const std::vector<CountedFigure>& figures, const std::string& name) {
  const auto found = std::ranges::find(figures, name, &CountedFigure::name);
  return found == figures.end() ? nullptr : &*found;
}

double to_hundredths(double value) {
  constexpr double kHundredths = 100;
  return std::round(value * kHundredths) / kHundredths;
}

/// A whole number is written as one.
nlohmann::ordered_json number(double value) {
  if (value == std::floor(value)) return static_cast<std::int64_t>(value);
  return value;
}

CountedFigure agreed_figure(const CountedFigure& one, const CountedFigure* other) {
  CountedFigure figure{.name = one.name, .per = one.per};
  if (other == nullptr) {
    figure.left_out = "only one of the two runs came to it";
  } else if (!one.instructions || !other->instructions) {
    figure.left_out = one.instructions ? other->left_out : one.left_out;
  } else if (*one.instructions != *other->instructions) {
    figure.left_out = fmt::format("the two runs differ: {}, {}", *one.instructions, *other->instructions);
  } else {
    figure.instructions = to_hundredths(*one.instructions);
  }
  return figure;
}

}  // namespace

std::vector<CountedFigure> agreed(const std::vector<CountedFigure>& first, const std::vector<CountedFigure>& second) {
  std::vector<CountedFigure> figures;
  figures.reserve(first.size());
  for (const auto& figure : first) figures.push_back(agreed_figure(figure, find(second, figure.name)));
  for (const auto& figure : second) {
    if (find(first, figure.name) == nullptr) figures.push_back(agreed_figure(figure, nullptr));
  }
  return figures;
}

std::size_t count_disagreements(const std::vector<CountedFigure>& first, const std::vector<CountedFigure>& second) {
  return static_cast<std::size_t>(std::ranges::count_if(first, [&second](const CountedFigure& figure) {
    const auto* const other = find(second, figure.name);
    return other != nullptr && figure.instructions && other->instructions && figure.instructions != other->instructions;
  }));
}

std::string InstructionRecord::json() const {
  nlohmann::ordered_json json = {{"schema_version", kSchemaVersion}, {"layer", "instructions"}, {"context", context}};
  json["benchmarks"] = nlohmann::ordered_json::array();
  for (const auto& figure : figures) {
    nlohmann::ordered_json one = {{"name", figure.name}};
    if (figure.instructions) {
      one["instructions"] = number(*figure.instructions);
      one["per"] = figure.per;
    } else {
      one["left_out"] = figure.left_out;
    }
    json["benchmarks"].push_back(std::move(one));
  }
  return json.dump(2) + "\n";
}

}  // namespace devmap::vm
