#include <reports/gather.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <harness/base/file.hpp>
#include <harness/record/read.hpp>
#include <map>
#include <reports/kernel.hpp>
#include <set>
#include <thread>
#include <tuple>

namespace devmap::reports {
namespace {

std::vector<std::string> with_directories_opened(const std::vector<std::string>& names) {
  std::vector<std::string> files;
  for (const auto& name : names) {
    std::error_code failed;
    if (!std::filesystem::is_directory(name, failed)) {
      files.push_back(name);
      continue;
    }
    std::vector<std::string> inside;
    for (const auto& entry : std::filesystem::directory_iterator(name, failed)) {
      if (entry.path().extension() == ".json") inside.push_back(entry.path());
    }
    std::ranges::sort(inside);
    files.insert(files.end(), inside.begin(), inside.end());
  }
  return files;
}

/// Each file's record or error, in the order of the files.
std::vector<Expected<RunRecord>> read_all(const std::vector<std::string>& files) {
  std::vector<Expected<RunRecord>> records(files.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < files.size(); i = next++) records[i] = read_record(files[i]);
  };
  const auto helpers = std::min<std::size_t>(std::max(1U, std::thread::hardware_concurrency()), files.size());
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < helpers; ++i) threads.emplace_back(work);
  work();
  return records;
}

using Identity = std::tuple<std::string, std::string, std::string, std::string, std::string>;

Identity identity_of(const RunContext& context) {
  return {context.kernel_label, context.release, context.version, context.machine, context.jit};
}

std::set<std::string> checks_of(const RunRecord& record) {
  std::set<std::string> checks;
  for (const auto& result : record.results) checks.insert(result.name());
  return checks;
}

bool share_no_check(const RunRecord& a, const RunRecord& b) {
  const auto of_a = checks_of(a);
  return std::ranges::none_of(b.results, [&](const Result& result) { return of_a.contains(result.name()); });
}

/// Whether two records hold one run.
bool same_run(const RunRecord& a, const RunRecord& b) {
  return a.context.started == b.context.started && a.results.size() == b.results.size() &&
         std::ranges::equal(a.results, b.results, [](const Result& x, const Result& y) {
           return x.rule == y.rule && x.variant == y.variant && x.verdict == y.verdict && x.iteration == y.iteration;
         });
}

/// Keeps one record of a kernel, unless two are parts of one run.
void keep(std::vector<Source>& kept, Source source, std::vector<std::string>& notes) {
  const auto& label = source.record.context.kernel_label;
  for (auto& other : kept) {
    if (identity_of(other.record.context) != identity_of(source.record.context)) continue;
    if (same_run(other.record, source.record)) {
      notes.push_back(fmt::format("{}: the same run as {}: left out", source.file, other.file));
      return;
    }
    if (share_no_check(other.record, source.record)) {
      notes.push_back(
          fmt::format("{} and {} hold different checks of kernel {}: parts of one run become one record by "
                      "`devmap-report merge`",
                      other.file, source.file, label));
      continue;
    }
    const bool later = other.record.context.started < source.record.context.started;
    if (later) std::swap(other, source);
    notes.push_back(
        fmt::format("{}: {} is a later run on the same kernel, {}: left out", source.file, other.file, label));
    return;
  }
  kept.push_back(std::move(source));
}

void note_suites(const std::vector<Source>& sources, std::vector<std::string>& notes) {
  std::map<std::string, std::size_t> suites;
  for (const auto& source : sources) {
    ++suites[fmt::format("{} ({})", source.record.suite.version, source.record.suite.commit)];
  }
  if (suites.size() < 2) return;
  std::vector<std::string> words;
  words.reserve(suites.size());
  for (const auto& [suite, count] : suites) words.push_back(fmt::format("{} of {}", count, suite));
  notes.push_back(
      fmt::format("the records come from different builds of the suite ({}): rules may have changed between them",
                  fmt::join(words, ", ")));
}

}  // namespace

Gathered gather(const std::vector<std::string>& names) {
  const auto files = with_directories_opened(names);
  auto records = read_all(files);
  Gathered gathered;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (!records[i]) {
      auto why = records[i].error();
      if (const auto text = read_file(files[i]); text && is_benchmark_record(*text)) {
        const auto added = gathered.benchmarks.add(files[i], *text);
        if (added) continue;
        why = added.error();
      }
      gathered.unreadable.push_back(why.text());
      continue;
    }
    if (records[i]->results.empty()) gathered.notes.push_back(files[i] + ": the run carried out no check");
    if (records[i]->context.partial) {
      gathered.notes.push_back(files[i] + ": the run was cut short: not all that was asked for is there");
    }
    keep(gathered.sources, {files[i], std::move(*records[i])}, gathered.notes);
  }
  std::ranges::stable_sort(gathered.sources, [](const Source& a, const Source& b) {
    return Kernel::of(a.record.context) < Kernel::of(b.record.context);
  });
  note_suites(gathered.sources, gathered.notes);
  for (auto& note : gathered.benchmarks.settle()) gathered.notes.push_back(std::move(note));
  return gathered;
}

}  // namespace devmap::reports
