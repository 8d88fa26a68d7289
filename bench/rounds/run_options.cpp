#include <bench/rounds/run_options.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <cstdio>
#include <harness/base/output_file.hpp>

namespace devmap::bench {
namespace {

bool succeeded(const Expected<void>& done) {
  if (!done) fmt::print(stderr, "devmap-bench: {}\n", done.error().text());
  return done.has_value();
}

}  // namespace

void add_run_options(CLI::App& app, RunOptions& options) {
  app.add_option("--seed", options.seed, "Of the random order");
  app.add_option("-o,--output,--json", options.output, "Write the record as JSON; - for standard output")
      ->type_name("FILE");
  app.add_option("--patience", options.patience,
                 "Seconds to wait in all for moments in which the processor is undisturbed (default 600)")
      ->check(CLI::Range(0.0, 86'400.0))
      ->type_name("S");
  app.add_flag("--despite-obstacles", options.despite, "Measure also where figures would be about something else");
  app.add_flag("--quiet", options.quiet, "No progress line");
}

bool can_keep_record(const RunOptions& options) {
  return options.output.empty() || succeeded(check_writable(options.output));
}

bool keep_record(const RunOptions& options, const std::string& json) {
  return options.output.empty() || succeeded(write_file(options.output, json));
}

}  // namespace devmap::bench
