#include <vm/count_stream.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace devmap::vm {
namespace {

using nlohmann::json;

std::string text_of(const json& value) {
  if (value.is_string()) return value;
  std::vector<std::string> words;
  for (const auto& [name, part] : value.items()) words.push_back(fmt::format("{}={}", name, part.get<std::string>()));
  return fmt::format("{}", fmt::join(words, "; "));
}

}  // namespace

void CountStream::take(std::string_view line) {
  const auto object = json::parse(line);
  if (object.contains("context")) {
    for (const auto& [name, value] : object.at("context").items()) context_[name] = text_of(value);
    all_ = object.at("figures");
  } else if (object.contains("end")) {
    has_end_ = true;
  } else {
    CountedFigure figure{.name = object.at("name"), .per = object.at("per")};
    if (object.contains("left_out")) {
      figure.left_out = object.at("left_out");
    } else {
      figure.instructions = object.at("instructions").get<double>();
    }
    figures_.push_back(std::move(figure));
  }
}

Expected<void> CountStream::feed(std::string_view bytes) {
  if (garbled_) return {};
  pending_.append(bytes);
  for (auto newline = pending_.find('\n'); newline != std::string::npos; newline = pending_.find('\n')) {
    const auto line = pending_.substr(0, newline);
    pending_.erase(0, newline + 1);
    try {
      take(line);
    } catch (const json::exception& bad) {
      garbled_ = true;
      return failure("the benchmarks in the guest", 0, fmt::format("not understood: {}: {}", line, bad.what()));
    }
  }
  return {};
}

}  // namespace devmap::vm
