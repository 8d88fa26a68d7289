#include <vm/shared_run.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <harness/record/format.hpp>
#include <harness/record/read.hpp>
#include <harness/record/record.hpp>
#include <iterator>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace devmap::vm {
namespace {

KernelRunOptions share_of(const KernelRunOptions& options, std::size_t share, std::size_t machines) {
  auto own = options;
  own.arguments.insert(own.arguments.end(), {"--shard", fmt::format("{}/{}", share + 1, machines)});
  if (!own.console.empty() && share != 0) own.console += fmt::format(".{}", share + 1);
  own.on_output = {};
  return own;
}

/// Results in turn, one of each share, as checks are dealt out (harness/spec/selection.cpp).
std::vector<Result> dealt_back(std::vector<RunRecord>& shares) {
  std::vector<Result> results;
  for (std::size_t row = 0;; ++row) {
    const auto before = results.size();
    for (auto& share : shares) {
      if (row < share.results.size()) results.push_back(std::move(share.results[row]));
    }
    if (results.size() == before) return results;
  }
}

KernelRun joined(std::vector<KernelRun> runs) {
  // What went wrong is told before what did not.
  const auto is_worse = [](const KernelRun& one, const KernelRun& other) {
    const auto rank = [](const KernelRun& run) { return std::pair(run.ending != Ending::ended, run.exit_code); };
    return rank(one) < rank(other);
  };
  KernelRun whole = *std::ranges::max_element(runs, is_worse);
  whole.notes.clear();
  whole.counts.clear();
  whole.boots = 0;
  std::vector<std::optional<RunRecord>> shares;
  shares.reserve(runs.size());
  for (auto& run : runs) {
    for (auto& note : run.notes) {
      if (std::ranges::find(whole.notes, note) == whole.notes.end()) whole.notes.push_back(std::move(note));
    }
    for (const auto& [verdict, count] : run.counts) whole.counts[verdict] += count;
    whole.boots += run.boots;
    whole.boot = std::max(whole.boot, run.boot);
    whole.total = std::max(whole.total, run.total);
    auto& share = shares.emplace_back();
    if (run.record.empty()) continue;
    if (auto record = parse_record(run.record)) {
      share = std::move(*record);
    } else {
      whole.notes.push_back("the record of one machine is left out: " + record.error().text() + "; try --machines 1");
    }
  }
  const auto record = joined_record(std::move(shares));
  whole.record = record ? render_json(*record) : std::string();
  if (whole.ending == Ending::ended && record) whole.exit_code = exit_code(*record);
  return whole;
}

}  // namespace

std::optional<RunRecord> joined_record(std::vector<std::optional<RunRecord>> shares) {
  std::vector<RunRecord> records;
  for (auto& share : shares) {
    if (share) records.push_back(std::move(*share));
  }
  if (records.empty()) return std::nullopt;
  RunRecord whole{.suite = records.front().suite, .context = records.front().context};
  auto& context = whole.context;
  context.boots = 0;
  context.foreign_warnings.clear();
  context.partial = records.size() < shares.size();
  for (const auto& record : records) {
    const auto& own = record.context;
    context.boots = context.boots.value_or(0) + own.boots.value_or(0);
    context.started = std::min(context.started, own.started);
    // They ran at the same time.
    context.duration_ms = std::max(context.duration_ms, own.duration_ms);
    context.partial = context.partial || own.partial;
    std::ranges::copy(own.foreign_warnings, std::back_inserter(context.foreign_warnings));
  }
  whole.results = dealt_back(records);
  return whole;
}

KernelProgress joined_progress(const std::vector<KernelProgress>& shares) {
  KernelProgress whole{.phase = KernelProgress::Phase::ended};
  bool have_all_said = true;
  for (const auto& share : shares) {
    whole.phase = std::min(whole.phase, share.phase);
    whole.through += share.through;
    whole.all += share.all;
    have_all_said = have_all_said && share.all != 0;
    for (const auto& [verdict, count] : share.counts) whole.counts[verdict] += count;
    whole.elapsed = std::max(whole.elapsed, share.elapsed);
  }
  if (!have_all_said) whole.all = 0;
  return whole;
}

Expected<KernelRun> run_kernel_in(unsigned machines, const Kernel& kernel, const KernelRunOptions& options,
                                  const std::function<void(const KernelProgress&)>& on_progress) {
  if (machines <= 1) return run_kernel(kernel, options, on_progress);
  std::mutex one_at_a_time;
  std::vector<KernelProgress> progress(machines);
  std::vector<std::optional<Expected<KernelRun>>> results(machines);
  {
    std::vector<std::jthread> threads;
    threads.reserve(machines);
    for (std::size_t share = 0; share < machines; ++share) {
      threads.emplace_back([&, share] {
        results[share] = run_kernel(kernel, share_of(options, share, machines), [&, share](const KernelProgress& now) {
          const std::scoped_lock lock(one_at_a_time);
          progress[share] = now;
          if (on_progress) on_progress(joined_progress(progress));
        });
      });
    }
  }
  std::vector<KernelRun> runs;
  runs.reserve(machines);
  for (auto& result : results) {
    if (!*result) return std::unexpected(result->error());
    runs.push_back(std::move(**result));
  }
  return joined(std::move(runs));
}

}  // namespace devmap::vm
