#include <harness/record/run_stream.hpp>

#include <harness/base/file.hpp>
#include <harness/record/format.hpp>
#include <harness/record/record_json.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <set>

namespace devmap {
namespace {

using nlohmann::ordered_json;

std::string line(const char* about, ordered_json what) {
  ordered_json object;
  object[about] = std::move(what);
  return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string run_line(const RunRecord& begun, const std::vector<std::string>& checks, unsigned repeat) {
  return line("run", {{"schema_version", RunRecord::kSchemaVersion},
                      {"suite", suite_json(begun.suite)},
                      {"context", context_json(begun.context)},
                      {"checks", checks},
                      {"repeat", repeat}});
}

std::string begun_line(std::string_view rule, std::string_view variant, unsigned iteration) {
  ordered_json check = {{"rule", rule}, {"variant", variant}};
  if (iteration != 1) check["iteration"] = iteration;
  return line("begun", std::move(check));
}

std::string result_line(const Result& result) {
  return line("result", result_json(result));
}

std::string end_line(const RunContext& context) {
  return line("end", {{"duration_ms", context.duration_ms},
                      {"partial", context.partial},
                      {"foreign_warnings", context.foreign_warnings}});
}

std::string render_stream(const RunRecord& record) {
  RunRecord begun{.suite = record.suite, .context = record.context};
  begun.context.duration_ms = 0;
  begun.context.partial = false;
  begun.context.foreign_warnings.clear();
  std::vector<std::string> checks;
  std::set<std::string> known;
  unsigned repeat = 1;
  for (const auto& result : record.results) {
    repeat = std::max(repeat, result.iteration);
    if (known.insert(result.name()).second) checks.push_back(result.name());
  }
  std::string text = run_line(begun, checks, repeat);
  for (const auto& result : record.results) {
    text += begun_line(result.rule, result.variant, result.iteration) + result_line(result);
  }
  return text + end_line(record.context);
}

Expected<RunStream> RunStream::open(const std::string& file) {
  if (file == "-") return RunStream("standard output", UniqueFd(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)));
  UniqueFd opened(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!opened) return last_error("open", file);
  return RunStream(file, std::move(opened));
}

void RunStream::write(std::string_view text) {
  if (lost_) return;
  if (auto written = write_all(opened_.get(), text); !written) {
    lost_ = std::move(written.error());
    lost_->context = file_;
  }
}

}  // namespace devmap
