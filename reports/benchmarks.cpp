#include <reports/benchmarks.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace devmap::reports {
namespace {

using nlohmann::json;

constexpr int kSchemaVersion = 1;
/// More figures than this are no record of ours; a page of them would open in no browser.
constexpr std::size_t kMostFigures = 20'000;

/// What is wrong with a record, in words.
class Fault : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::string one_line(std::string text) {
  std::ranges::replace_if(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  constexpr std::size_t kMost = 300;
  return text.size() > kMost ? text.substr(0, kMost) + "..." : text;
}

const json& member(const json& object, const char* name) {
  if (!object.is_object()) throw Fault("there is no object where one belongs");
  const auto found = object.find(name);
  if (found == object.end()) throw Fault(fmt::format("{} is missing", name));
  return *found;
}

std::string text_in(const json& object, const char* name) {
  const auto& value = member(object, name);
  if (!value.is_string()) throw Fault(fmt::format("{} is no text", name));
  return one_line(value.get<std::string>());
}

std::string text_if_any(const json& object, const char* name) {
  return object.contains(name) ? text_in(object, name) : std::string();
}

double finite_number(const json& value, const char* name) {
  if (!value.is_number()) throw Fault(fmt::format("{} is no number", name));
  const auto read = value.get<double>();
  if (!std::isfinite(read)) throw Fault(fmt::format("{} is {}", name, read));
  return read;
}

double number(const json& value, const char* name) {
  const auto read = finite_number(value, name);
  if (read < 0) throw Fault(fmt::format("{} is {}", name, read));
  return read;
}

std::size_t count_in(const json& object, const char* name) {
  const auto read = number(member(object, name), name);
  if (read > 1e15) throw Fault(fmt::format("{} is {}", name, read));
  return static_cast<std::size_t>(read);
}

double number_in(const json& object, const char* name) {
  return number(member(object, name), name);
}

Spread spread_in(const json& object) {
  Spread spread{number_in(object, "median"), number_in(object, "p10"), number_in(object, "p90")};
  if (spread.p10 > spread.median || spread.median > spread.p90) throw Fault("p10, median and p90 are not in order");
  return spread;
}

RatioFigure ratio_in(const json& object) {
  return {number_in(object, "ratio"), number_in(object, "low"), number_in(object, "high")};
}

/// [low, high] about a ratio.
RatioFigure interval_of(const json& pair, double ratio, const char* name) {
  if (!pair.is_array() || pair.size() != 2) throw Fault(fmt::format("{} is no pair", name));
  return {ratio, number(pair[0], name), number(pair[1], name)};
}

BenchmarkContext context_in(const json& document) {
  const auto& object = member(document, "context");
  if (!object.is_object()) throw Fault("context is no object");
  BenchmarkContext context;
  for (const auto& [name, value] : object.items()) {
    context.emplace(one_line(name), one_line(value.is_string() ? value.get<std::string>() : value.dump()));
  }
  return context;
}

/// What `read` makes of each member of a list; a fault says which one.
template <class Read>
auto each(const json& document, const char* name, Read read) {
  const auto& list = member(document, name);
  if (!list.is_array()) throw Fault(fmt::format("{} is no list", name));
  if (list.size() > kMostFigures)
    throw Fault(fmt::format("{} has {} members, more than there can be", name, list.size()));
  std::vector<decltype(read(list))> all;
  all.reserve(list.size());
  for (const auto& entry : list) {
    try {
      all.push_back(read(entry));
    } catch (const Fault& fault) {
      throw Fault(fmt::format("{}[{}]: {}", name, all.size(), fault.what()));
    }
  }
  return all;
}

InstructionFigure instruction_figure(const json& object) {
  InstructionFigure figure{.name = text_in(object, "name"), .per = {}, .instructions = {}, .left_out = {}};
  if (object.contains("left_out")) {
    figure.left_out = text_in(object, "left_out");
    return figure;
  }
  // A difference may be less than nothing.
  const auto is_difference = figure.name.starts_with("overhead/");
  const auto& instructions = member(object, "instructions");
  figure.instructions = (is_difference ? finite_number : number)(instructions, "instructions");
  figure.per = text_in(object, "per");
  return figure;
}

TimeFigure time_figure(const json& object) {
  TimeFigure figure{.name = text_in(object, "name"),
                    .status = text_in(object, "status"),
                    .reason = text_if_any(object, "reason"),
                    .kept = count_in(object, "kept"),
                    .taken = count_in(object, "taken"),
                    .spread = {},
                    .to_itself = {},
                    .baseline = text_if_any(object, "baseline"),
                    .to_baseline = {}};
  constexpr std::array kStates = {"reliable", "unreliable", "unmet", "failed"};
  if (std::ranges::find(kStates, figure.status) == kStates.end()) {
    throw Fault(fmt::format("'{}' is no status of a figure", figure.status));
  }
  if (text_in(object, "unit") != "ns") throw Fault("its unit is not ns");
  if (object.contains("to_itself")) figure.to_itself = ratio_in(object["to_itself"]);
  // What is not reliable has no figure, whatever the record has.
  if (figure.status != "reliable") return figure;
  figure.spread = spread_in(object);
  if (object.contains("to_baseline")) figure.to_baseline = ratio_in(object["to_baseline"]);
  return figure;
}

PeerComparison peer_comparison(const json& object) {
  PeerComparison comparison{.path = text_in(object, "path"),
                            .unit = text_if_any(object, "unit"),
                            .ratio = {},
                            .unreliable = text_if_any(object, "unreliable"),
                            .ours = {},
                            .theirs = {},
                            .to_itself = {},
                            .without_start_up = {}};
  const auto count = [&](const char* name) { return object.contains(name) ? count_in(object, name) : 0; };
  comparison.kept = count("kept");
  comparison.taken = count("taken");
  comparison.sent = static_cast<double>(count("sent"));
  comparison.delivered = static_cast<double>(count("delivered"));
  if (object.contains("to_itself")) comparison.to_itself = interval_of(object["to_itself"], 1, "to_itself");
  if (object.contains("unreliable")) {
    if (comparison.unreliable.empty()) throw Fault("unreliable says no reason");
    return comparison;
  }
  comparison.ratio = interval_of(member(object, "interval"), number_in(object, "ratio"), "interval");
  comparison.ours = spread_in(member(object, "ours"));
  comparison.theirs = spread_in(member(object, "theirs"));
  if (object.contains("without_start_up")) {
    const auto& frames = object["without_start_up"];
    comparison.without_start_up = interval_of(member(frames, "interval"), number_in(frames, "ratio"), "interval");
  }
  return comparison;
}

void add_document(Benchmarks& all, const std::string& file, const json& document) {
  const auto& schema = member(document, "schema_version");
  if (!schema.is_number_integer()) throw Fault("schema_version is no number");
  if (schema != kSchemaVersion) {
    throw Fault(
        fmt::format("it has schema version {}, and this program reads version {}: use the program that came "
                    "with the suite that wrote it",
                    schema.dump(), kSchemaVersion));
  }
  const auto layer = text_in(document, "layer");
  if (layer == "instructions") {
    all.instructions.push_back({file, context_in(document), each(document, "benchmarks", instruction_figure)});
  } else if (layer == "time") {
    all.times.push_back({file, context_in(document), each(document, "benchmarks", time_figure)});
  } else if (layer == "peer") {
    all.peers.push_back({file, context_in(document), each(document, "comparisons", peer_comparison)});
  } else {
    throw Fault(fmt::format("'{}' is no layer of benchmarks that this program knows", layer));
  }
}

std::string fact(const BenchmarkContext& context, const char* name) {
  const auto found = context.find(name);
  return found == context.end() ? std::string() : found->second;
}

bool is_map_type(std::string_view word) {
  return word == "devmap" || word == "devmap_hash" || word == "array" || word == "hash";
}

std::optional<double> whole_number(std::string_view text) {
  unsigned long long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return static_cast<double>(value);
}

std::vector<std::string_view> parts_of(std::string_view name) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= name.size();) {
    const auto end = std::min(name.find('/', begin), name.size());
    parts.push_back(name.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

/// Of several records of one kernel and machine the later one, by when it was begun, or else by the order of files.
template <class Record>
void keep_latest(std::vector<Record>& records, std::vector<std::string>& notes) {
  std::vector<Record> kept;
  for (auto& record : records) {
    const auto other = std::ranges::find_if(kept, [&](const Record& candidate) {
      return std::ranges::all_of(std::array{"label", "kernel", "release", "machine", "cpu"}, [&](const char* name) {
        return fact(candidate.context, name) == fact(record.context, name);
      });
    });
    if (other == kept.end()) {
      kept.push_back(std::move(record));
      continue;
    }
    if (fact(other->context, "started") <= fact(record.context, "started")) std::swap(*other, record);
    notes.push_back(fmt::format("{}: {} is a later record of the same kernel: left out", record.file, other->file));
  }
  records = std::move(kept);
}

}  // namespace

BenchmarkName BenchmarkName::of(std::string_view name) {
  BenchmarkName taken;
  std::string type;
  std::vector<std::pair<std::string, double>> sizes;
  std::string others;
  for (const auto part : parts_of(name)) {
    const auto colon = part.find(':');
    const auto value = whole_number(colon == std::string_view::npos ? part : part.substr(colon + 1));
    if (is_map_type(part)) {
      type = part;
    } else if (value && colon != std::string_view::npos) {
      sizes.emplace_back(part.substr(0, colon), *value);
    } else if (value) {
      sizes.emplace_back(name.find("_colliding/") != std::string_view::npos ? "keys" : "entries", *value);
    } else if (!part.empty() && part.front() >= '0' && part.front() <= '9') {
      others += fmt::format(" {}", part);  // "64_in_1_maps"
    } else {
      taken.operation += (taken.operation.empty() ? "" : "/") + std::string(part);
    }
  }
  // A broadcast to more destinations is sent in smaller batches: the destinations are what is varied.
  for (const char* axis : {"slots", "bytes", "devices", "batch", "keys", "entries"}) {
    const auto found = std::ranges::find(sizes, axis, &std::pair<std::string, double>::first);
    if (found == sizes.end()) continue;
    taken.axis = axis;
    taken.size = found->second;
    break;
  }
  for (const auto& [axis, value] : sizes) {
    const bool follows = taken.axis == "devices" && axis == "batch";
    if (axis != taken.axis && !follows) others += fmt::format(" {}:{}", axis, value);
  }
  taken.series = type + others;
  if (taken.series.starts_with(' ')) taken.series.erase(0, 1);
  if (taken.series.empty()) taken.series = taken.operation;
  return taken;
}

Kernel InstructionCounts::kernel() const {
  const auto either = [&](const char* name, const std::string& otherwise) {
    const auto text = fact(context, name);
    return text.empty() ? otherwise : text;
  };
  const auto release = either("release", fact(context, "kernel"));
  return Kernel::of({.release = release,
                     .version = fact(context, "version"),
                     .machine = fact(context, "machine"),
                     .kernel_label = either("label", release.empty() ? file : release),
                     .jit = fact(context, "jit")});
}

bool is_benchmark_record(std::string_view text) {
  const auto document = json::parse(text, nullptr, false);
  return document.is_object() && document.contains("layer") && !document.contains("results");
}

Expected<void> Benchmarks::add(const std::string& file, std::string_view text) {
  const auto unreadable = [&](const std::string& why) {
    return failure("read benchmarks", 0, one_line(fmt::format("{}: {}", file, why)));
  };
  try {
    add_document(*this, file, json::parse(text));
    return {};
  } catch (const json::parse_error& fault) {
    if (fault.byte > text.size()) return unreadable(fmt::format("cut off after {} bytes: copy it again", text.size()));
    return unreadable("no JSON");
  } catch (const std::exception& fault) {
    return unreadable(fault.what());
  }
}

std::vector<std::string> Benchmarks::settle() {
  std::vector<std::string> notes;
  keep_latest(instructions, notes);
  keep_latest(times, notes);
  keep_latest(peers, notes);
  std::ranges::stable_sort(
      instructions, [](const InstructionCounts& a, const InstructionCounts& b) { return a.kernel() < b.kernel(); });
  return notes;
}

}  // namespace devmap::reports
