#include <reports/commands.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <harness/base/output_file.hpp>
#include <harness/record/format.hpp>
#include <harness/record/read.hpp>
#include <map>
#include <reports/changes.hpp>
#include <reports/compact.hpp>
#include <reports/embedded.hpp>
#include <reports/findings.hpp>
#include <reports/gather.hpp>
#include <reports/markdown.hpp>
#include <reports/merge.hpp>
#include <reports/site.hpp>
#include <reports/text.hpp>

namespace devmap::reports {
namespace {

void say(const std::string& line) {
  fmt::print(stderr, "devmap-report: {}\n", line);
}

Expected<Specification> specification_of(const Request& request) {
  if (request.specification.empty()) return Specification::parse(embedded_specification());
  return Specification::read(request.specification);
}

/// Reads everything, lets `write` make a report of it, and says what could not be read.
int with_records(const Request& request,
                 const std::function<Expected<void>(const Gathered&, const Specification&)>& write) {
  const auto specification = specification_of(request);
  if (!specification) {
    say(specification.error().text());
    return kExitBroken;
  }
  const auto gathered = gather(request.records);
  for (const auto& line : gathered.unreadable) say(line);
  for (const auto& line : gathered.notes) say("note: " + line);
  if (gathered.sources.empty()) {
    say("no record to report on");
    return kExitNothing;
  }
  if (const auto written = write(gathered, *specification); !written) {
    say(written.error().text());
    return kExitBroken;
  }
  if (gathered.unreadable.empty()) return kExitDone;
  say(fmt::format("{} of {} files left out", gathered.unreadable.size(),
                  gathered.unreadable.size() + gathered.sources.size()));
  return kExitBroken;
}

/// A report of a single record.
int of_one(const Request& request, const std::function<std::string(const RunRecord&, const Statements&)>& render) {
  const auto specification = specification_of(request);
  const auto record = read_record(request.records.front());
  if (!specification || !record) {
    say(!specification ? specification.error().text() : record.error().text());
    return !record ? kExitNothing : kExitBroken;
  }
  Statements statements;
  for (const auto& rule : specification->rules) statements.emplace(rule.id, rule.states);
  const auto written = write_file(request.output, render(*record, statements));
  if (written) return kExitDone;
  say(written.error().text());
  return kExitBroken;
}

}  // namespace

int report_text(const Request& request, bool color) {
  std::error_code ignored;
  if (request.records.size() == 1 && !std::filesystem::is_directory(request.records.front(), ignored)) {
    return of_one(request, [&](const RunRecord& record, const Statements& statements) {
      return render_console(record, statements, {.color = color});
    });
  }
  return with_records(request, [&](const Gathered& gathered, const Specification& specification) {
    return write_file(request.output, render_text(Matrix::of(gathered.sources, specification)));
  });
}

int report_markdown(const Request& request, bool all, const std::string& title) {
  return with_records(request, [&](const Gathered& gathered, const Specification& specification) {
    return write_file(request.output, render_markdown(Matrix::of(gathered.sources, specification), {all, title}));
  });
}

int report_junit(const Request& request) {
  return of_one(request, [](const RunRecord& record, const Statements&) { return render_junit(record); });
}

int report_ktap(const Request& request) {
  return of_one(request, [](const RunRecord& record, const Statements&) { return render_ktap(record); });
}

int report_kcidb(const Request& request, const KcidbOptions& options) {
  return with_records(request, [&](const Gathered& gathered, const Specification& specification) {
    return write_file(request.output, render_kcidb(gathered.sources, specification, options));
  });
}

int report_diff(const Request& request) {
  const auto specification = specification_of(request);
  if (!specification) {
    say(specification.error().text());
    return kExitBroken;
  }
  std::vector<Source> sources;
  for (const auto& file : request.records) {
    auto record = read_record(file);
    if (!record) {
      say(record.error().text());
      return kExitNothing;
    }
    sources.push_back({file, std::move(*record)});
  }
  const auto matrix = Matrix::of(sources, *specification);
  if (const auto written = write_file(request.output, render_changes(matrix, 0, 1)); !written) {
    say(written.error().text());
    return kExitBroken;
  }
  const auto changes = changes_between(matrix, 0, 1);
  return std::ranges::any_of(changes, &Change::of_the_kernel) ? kExitDiffers : kExitDone;
}

int merge_records(const Request& request) {
  const auto specification = specification_of(request);
  if (!specification) {
    say(specification.error().text());
    return kExitBroken;
  }
  // A part that is missing would make a record that looks whole: here every file must be sound.
  std::vector<Source> parts;
  for (const auto& file : request.records) {
    auto record = read_record(file);
    if (!record) {
      say(record.error().text());
      return kExitBroken;
    }
    parts.push_back({file, std::move(*record)});
  }
  const auto whole = merged(parts, *specification);
  const auto written = whole ? write_file(request.output, render_json(*whole)) : std::unexpected(whole.error());
  if (written) return kExitDone;
  say(written.error().text());
  return kExitBroken;
}

int compact_records(const Request& request) {
  auto gathered = gather(request.records);
  // A record that is left out would be missing from what is published.
  for (const auto& line : gathered.unreadable) say(line);
  for (const auto& line : gathered.notes) say("note: " + line);
  if (!gathered.unreadable.empty() || gathered.sources.empty()) {
    say("nothing is written");
    return gathered.sources.empty() ? kExitNothing : kExitBroken;
  }
  std::map<std::filesystem::path, std::string> from;
  for (const auto& source : gathered.sources) {
    const auto [other, is_new] = from.emplace(std::filesystem::path(source.file).filename(), source.file);
    if (is_new) continue;
    say(fmt::format("{} and {} would be written to one file: nothing is written; rename one of them", other->second,
                    source.file));
    return kExitBroken;
  }
  compact(gathered.sources);
  std::error_code failed;
  std::filesystem::create_directories(request.output, failed);
  if (failed) {
    say(fmt::format("{}: cannot be made: {}", request.output, failed.message()));
    return kExitBroken;
  }
  for (const auto& source : gathered.sources) {
    const auto file = std::filesystem::path(request.output) / std::filesystem::path(source.file).filename();
    if (const auto written = write_file(file, render_json_by_line(source.record)); !written) {
      say(written.error().text());
      return kExitBroken;
    }
  }
  return kExitDone;
}

int report_html(const Request& request, const std::string& findings_directory, const std::string& source_url) {
  const auto findings = findings_directory.empty() ? built_in_findings() : read_findings(findings_directory);
  if (!findings) {
    say(findings.error().text());
    return kExitBroken;
  }
  return with_records(request, [&](const Gathered& gathered, const Specification& specification) {
    const auto matrix = Matrix::of(gathered.sources, specification);
    auto notes = gathered.unreadable;
    notes.insert(notes.end(), gathered.notes.begin(), gathered.notes.end());
    return write_site({&matrix, &*findings, &notes, source_url, &gathered.benchmarks}, request.output);
  });
}

}  // namespace devmap::reports
