#include <vm/matrix.hpp>

#include <vm/commands.hpp>
#include <vm/schedule.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <array>
#include <filesystem>
#include <harness/record/record.hpp>
#include <iterator>
#include <map>
#include <system_error>
#include <utility>

namespace devmap::vm {
namespace {

std::string word_for(int code) {
  switch (code) {
    case kExitConforms:
      return "conforms";
    case kExitDeviates:
      return "deviates";
    case kExitNothingRan:
      return "nothing ran";
    case kExitTimedOut:
      return "timed out";
    case kExitBroken:
      return "broken";
    default:
      return fmt::format("ended with {}", code);
  }
}

KernelRow row_of(const KernelProgress& progress) {
  return {.label = {},
          .state = KernelRow::State::running,
          .phase = std::string(name_of(progress.phase)),
          .through = progress.through,
          .all = progress.all,
          .counts = progress.counts,
          .elapsed = progress.elapsed};
}

KernelRow end_of(KernelRow row, const MatrixResult& result, std::string phase) {
  row.state = KernelRow::State::ended;
  row.phase = std::move(phase);
  row.failed = result.exit_code != kExitConforms;
  return row;
}

std::map<std::string, std::size_t> named(const std::map<Verdict, std::size_t>& counts) {
  std::map<std::string, std::size_t> by_name;
  for (const auto& [verdict, count] : counts) by_name.emplace(devmap::name_of(verdict), count);
  return by_name;
}

/// Whether the verdicts tell all that there is to say. A guest may die over its last check, which is known to kill it.
bool went_as_expected(const KernelRun& run) {
  return run.ending == Ending::ended || run.exit_code == kExitConforms;
}

std::vector<std::string> remarks_on(const KernelRun& run) {
  auto remarks = run.notes;
  if (went_as_expected(run)) return remarks;
  remarks.push_back(fmt::format("{}: {}", name_of(run.ending), run.reason));
  if (!run.console_tail.empty()) remarks.emplace_back("the last lines of the console:");
  for (const auto& line : run.console_tail) remarks.push_back("  " + line);
  return remarks;
}

/// The console is evidence where something went wrong, and in the way where nothing did.
void drop_console(const KernelRun& run, const std::filesystem::path& console) {
  std::error_code ignored;
  if (run.ending == Ending::ended && run.exit_code == kExitConforms) std::filesystem::remove(console, ignored);
}

class Matrix {
 public:
  Matrix(const std::vector<MatrixKernel>& kernels, const KeptRecords& records, const RunKernelAt& run_at,
         LiveTable& table)
      : kernels_(kernels), records_(records), run_at_(run_at), table_(table), results_(kernels.size()) {
    for (std::size_t at = 0; at < kernels.size(); ++at) results_[at].label = kernels[at].label;
  }

  /// Settles what needs no run; gives the places of the others.
  std::vector<std::size_t> settle_the_rest(bool resume) {
    std::vector<std::size_t> to_run;
    for (std::size_t at = 0; at < kernels_.size(); ++at) {
      if (!kernels_[at].missing.empty()) {
        settle_missing(at);
      } else if (!resume || !settle_resumed(at)) {
        to_run.push_back(at);
      }
    }
    return to_run;
  }

  void run(std::size_t at) {
    const auto& kernel = kernels_[at];
    auto& result = results_[at];
    result.kind = MatrixResult::Kind::ran;
    KernelRow row;
    const auto run = run_at_(at, [&](const KernelProgress& progress) {
      row = row_of(progress);
      // That it has ended is told once it is known what came of it.
      if (progress.phase != KernelProgress::Phase::ended) table_.update(at, row);
    });
    if (!run) {
      result.kind = MatrixResult::Kind::missing;
      result.exit_code = kExitNothingRan;
      result.remarks.push_back(run.error().text());
      table_.update(at, end_of(row, result, "could not run"));
      return;
    }
    result.exit_code = run->exit_code;
    result.remarks = remarks_on(*run);
    drop_console(*run, records_.console_of(kernel.label));
    if (!run->record.empty()) keep(*run, kernel, result);
    const auto phase = went_as_expected(*run) ? word_for(run->exit_code) : std::string(name_of(run->ending));
    table_.update(at, end_of(row, result, phase));
  }

  std::vector<MatrixResult> take_results() { return std::move(results_); }

 private:
  void settle_missing(std::size_t at) {
    auto& result = results_[at];
    result.kind = MatrixResult::Kind::missing;
    result.exit_code = kExitNothingRan;
    result.remarks = {kernels_[at].missing};
    table_.update(at, end_of({}, result, "not there"));
  }

  bool settle_resumed(std::size_t at) {
    auto complete = records_.complete(kernels_[at].label, kernels_[at].identity);
    if (!complete) return false;
    auto& result = results_[at];
    result.kind = MatrixResult::Kind::resumed;
    result.exit_code = complete->exit_code;
    result.run = std::move(complete->run);
    KernelRow row{.through = result.run->results.size(),
                  .all = result.run->results.size(),
                  .counts = named(result.run->counts()),
                  .elapsed = std::chrono::duration<double, std::milli>(result.run->duration_ms)};
    table_.update(at, end_of(std::move(row), result, word_for(result.exit_code) + " before"));
    return true;
  }

  void keep(const KernelRun& run, const MatrixKernel& kernel, MatrixResult& result) const {
    if (auto kept = records_.keep(kernel.label, run.record, kernel.identity, run.exit_code); !kept) {
      result.remarks.push_back("its record is lost: " + kept.error().text());
      if (result.exit_code == kExitConforms) result.exit_code = kExitBroken;
    }
    auto read = RecordedRun::parse(run.record, kernel.label);
    if (read) {
      result.run = std::move(*read);
    } else {
      result.remarks.push_back(read.error().text());
      if (result.exit_code == kExitConforms) result.exit_code = kExitBroken;
    }
  }

  const std::vector<MatrixKernel>& kernels_;
  const KeptRecords& records_;
  const RunKernelAt& run_at_;
  LiveTable& table_;
  std::vector<MatrixResult> results_;
};

}  // namespace

std::vector<MatrixResult> run_matrix(const std::vector<MatrixKernel>& kernels, const KeptRecords& records,
                                     const MatrixRules& rules, const RunKernelAt& run_at,
                                     const std::function<bool()>& is_over, LiveTable& table) {
  Matrix matrix(kernels, records, run_at, table);
  const auto to_run = matrix.settle_the_rest(rules.resume);
  std::vector<double> costs;
  costs.reserve(to_run.size());
  for (const auto at : to_run) costs.push_back(kernels[at].seconds);
  do_in_parallel(longest_first(costs), rules.at_a_time, [&](std::size_t place) { matrix.run(to_run[place]); }, is_over);
  return matrix.take_results();
}

int exit_code(const std::vector<MatrixResult>& results) {
  // What comes first of these decides; any other code is before the last.
  constexpr std::array kOrder = {kExitDeviates, kExitTimedOut, kExitBroken};
  for (const int code : kOrder) {
    if (std::ranges::find(results, code, &MatrixResult::exit_code) != results.end()) return code;
  }
  int least = kExitConforms;
  for (const auto& result : results) {
    const bool is_worse = result.exit_code != kExitConforms && (least == kExitConforms || least == kExitNothingRan);
    if (is_worse) least = result.exit_code;
  }
  return least;
}

std::string summary(const std::vector<MatrixResult>& results) {
  std::vector<std::pair<std::string, std::size_t>> counts;
  for (const auto& result : results) {
    std::string what = word_for(result.exit_code);
    if (result.kind == MatrixResult::Kind::missing) what = "could not be run";
    if (result.kind == MatrixResult::Kind::left) what = "not run";
    const auto found = std::ranges::find(counts, what, &std::pair<std::string, std::size_t>::first);
    if (found == counts.end()) {
      counts.emplace_back(what, 1);
    } else {
      ++found->second;
    }
  }
  std::vector<std::string> parts;
  parts.reserve(counts.size());
  for (const auto& [what, count] : counts) parts.push_back(fmt::format("{} {}", count, what));
  return fmt::format("{} kernel{}: {}", results.size(), results.size() == 1 ? "" : "s", fmt::join(parts, ", "));
}

}  // namespace devmap::vm
