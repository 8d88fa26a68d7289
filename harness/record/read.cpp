#include <harness/record/read.hpp>

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <harness/base/file.hpp>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace devmap {
namespace {

using nlohmann::json;

constexpr std::uintmax_t kMostBytes = std::uintmax_t{512} << 20;

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

/// "once" or "devmap/v8/native".
bool is_variant(std::string_view text) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789_/-";
  return !text.empty() && text.size() <= 100 && text.find_first_not_of(kAllowed) == std::string_view::npos;
}

/// What is wrong with a field, in words.
class Fault : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A member of an object, of the type that is asked for.
template <class T>
T member(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) throw Fault(fmt::format("{} is missing", name));
  try {
    return found->get<T>();
  } catch (const json::exception&) {
    throw Fault(fmt::format("{} is of the wrong type: {}", name, found->type_name()));
  }
}

const json& object_named(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_object()) throw Fault(fmt::format("{} is no object", name));
  return *found;
}

const json& list_named(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_array()) throw Fault(fmt::format("{} is no list", name));
  return *found;
}

Verdict verdict_of(const std::string& name) {
  const auto verdict = verdict_named(name);
  if (!verdict) throw Fault(fmt::format("'{}' is no verdict", name));
  return *verdict;
}

Role role_of(const std::string& name) {
  if (name == "act") return Role::act;
  if (name == "control") return Role::control;
  if (name == "note") return Role::note;
  if (name == "rate") return Role::rate;
  throw Fault(fmt::format("'{}' is no role of evidence", name));
}

Evidence evidence_of(const json& object) {
  Evidence evidence{.role = role_of(member<std::string>(object, "role")), .did = member<std::string>(object, "did")};
  if (judged(evidence.role)) {
    evidence.expected = member<std::string>(object, "expected");
    evidence.observed = member<std::string>(object, "observed");
    evidence.as_expected = member<bool>(object, "as_expected");
  }
  return evidence;
}

Result result_of(const json& object) {
  if (!object.is_object()) throw Fault("no object");
  Result result{.rule = member<std::string>(object, "rule"),
                .variant = member<std::string>(object, "variant"),
                .verdict = verdict_of(member<std::string>(object, "verdict")),
                .duration_ms = member<double>(object, "duration_ms"),
                .expected = member<std::string>(object, "expected"),
                .observed = member<std::string>(object, "observed"),
                .reason = member<std::string>(object, "reason"),
                .advice = member<std::string>(object, "advice")};
  if (!is_rule_id(result.rule)) throw Fault(fmt::format("'{}' is no id of a rule", result.rule));
  if (!is_variant(result.variant)) throw Fault(fmt::format("'{}' is no variant", result.variant));
  if (object.contains("iteration")) result.iteration = member<unsigned>(object, "iteration");
  const auto& evidence = list_named(object, "evidence");
  result.evidence.reserve(evidence.size());
  for (const auto& line : evidence) result.evidence.push_back(evidence_of(line));
  return result;
}

/// A name that reports print in a line of their own.
std::string one_line_member(const json& object, const char* name) {
  auto text = member<std::string>(object, name);
  std::ranges::replace_if(text, is_control, '?');
  return text;
}

RunContext context_of(const json& object) {
  RunContext context{.release = one_line_member(object, "release"),
                     .version = member<std::string>(object, "version"),
                     .machine = one_line_member(object, "machine"),
                     .kernel_label = one_line_member(object, "kernel_label"),
                     .jit = member<std::string>(object, "jit"),
                     .cpus = member<unsigned>(object, "cpus"),
                     .page_size = member<long>(object, "page_size"),
                     .config = member<std::map<std::string, std::string>>(object, "config"),
                     .mitigations = member<std::map<std::string, std::string>>(object, "mitigations"),
                     .kernel_log = member<std::string>(object, "kernel_log"),
                     .attachment = member<std::string>(object, "attachment"),
                     .foreign_warnings = member<std::vector<std::string>>(object, "foreign_warnings"),
                     .started = member<std::string>(object, "started"),
                     .duration_ms = member<double>(object, "duration_ms"),
                     .partial = member<bool>(object, "partial")};
  if (object.contains("shuffle_seed")) context.shuffle_seed = member<std::uint32_t>(object, "shuffle_seed");
  if (object.contains("boots")) context.boots = member<unsigned>(object, "boots");
  if (object.contains("soak_ms")) context.soak = std::chrono::milliseconds(member<std::int64_t>(object, "soak_ms"));
  return context;
}

/// The counts a record comes with tell whether results were lost or changed on the way.
void check_summary(const json& summary, const RunRecord& record) {
  const auto counts = record.summary();
  for (const Verdict verdict : kVerdicts) {
    const auto name = std::string(name_of(verdict));
    const auto stated = member<std::size_t>(summary, name.c_str());
    const auto counted = counts.contains(verdict) ? counts.at(verdict) : 0;
    if (stated != counted) {
      throw Fault(fmt::format("summary: {} results are said to be '{}', but there are {}", stated, name, counted));
    }
  }
}

RunRecord record_of(const json& document) {
  if (!document.is_object() || !document.contains("schema_version") || !document.contains("results")) {
    throw Fault("this is JSON, but no result record of devmap-conformance");
  }
  const auto schema = member<int>(document, "schema_version");
  if (schema != RunRecord::kSchemaVersion) {
    throw Fault(
        fmt::format("it has schema version {}, and this program reads version {}: use the program that came "
                    "with the suite that wrote it",
                    schema, RunRecord::kSchemaVersion));
  }
  const auto& suite = object_named(document, "suite");
  RunRecord record{
      .suite = {.version = member<std::string>(suite, "version"), .commit = member<std::string>(suite, "commit")},
      .context = context_of(object_named(document, "context"))};
  const auto& results = list_named(document, "results");
  record.results.reserve(results.size());
  for (const auto& result : results) {
    try {
      record.results.push_back(result_of(result));
    } catch (const Fault& fault) {
      throw Fault(fmt::format("results[{}]: {}", record.results.size(), fault.what()));
    }
  }
  check_summary(object_named(document, "summary"), record);
  return record;
}

/// Without what the library says of itself at the beginning.
std::string plain(std::string message) {
  if (message.starts_with('[')) message.erase(0, std::min(message.find("] ") + 2, message.size()));
  std::ranges::replace(message, '\n', ' ');
  return message;
}

/// A message must stay a line whatever the file holds.
std::string one_line(std::string text) {
  std::ranges::replace_if(text, is_control, '?');
  constexpr std::size_t kMost = 400;
  if (text.size() > kMost) text = text.substr(0, kMost) + "...";
  return text;
}

}  // namespace

bool is_rule_id(std::string_view text) {
  const auto is_small = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const auto dot = text.find('.');
  if (dot == 0 || dot == std::string_view::npos || dot + 1 == text.size() || text.size() > 200) return false;
  return std::ranges::all_of(text.substr(0, dot), [&](char c) { return is_small(c) || c == '_'; }) &&
         std::ranges::all_of(text.substr(dot + 1), [&](char c) { return is_small(c) || c == '.' || c == '-'; });
}

Expected<RunRecord> parse_record(std::string_view text) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return failure("read record", 0, "empty: the run that was to write it did not end");
  }
  try {
    return record_of(json::parse(text));
  } catch (const json::parse_error& fault) {
    if (fault.byte > text.size()) {
      return failure("read record", 0, fmt::format("cut off after {} bytes: copy it again, or run again", text.size()));
    }
    return failure("read record", 0, "no JSON: " + one_line(plain(fault.what())));
  } catch (const std::exception& fault) {
    return failure("read record", 0, one_line(fault.what()));
  }
}

Expected<RunRecord> read_record(const std::string& file) {
  const std::string path = file == "-" ? "/dev/stdin" : file;
  struct stat status{};
  if (stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
      static_cast<std::uintmax_t>(status.st_size) > kMostBytes) {
    return failure("read record", 0, file + ": larger than 512 MiB, which no run of the suite writes: not read");
  }
  const auto text = read_file(path);
  if (!text) return std::unexpected(text.error());
  auto record = parse_record(*text);
  if (!record) record.error().context = file + ": " + record.error().context;
  return record;
}

}  // namespace devmap
