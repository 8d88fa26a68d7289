#include <reports/commands.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <harness/manual/command_line.hpp>

namespace devmap::reports {
namespace {

struct Command {
  CLI::App* app = nullptr;
  Request request = {};
};

/// What the subcommands have in common.
void describe(CLI::App& program, Command& command, const char* name, const char* what, std::size_t most_records) {
  command.app = program.add_subcommand(name, what);
  auto* const records = command.app->add_option(
      "record", command.request.records, "Result records (devmap-conformance -o json:FILE), or directories of such");
  records->required()->type_name("RECORD");
  if (most_records != 0) records->expected(1, static_cast<int>(most_records));
  command.app
      ->add_option("--spec", command.request.specification,
                   "Another specification than the one built in (devmap-conformance --spec json)")
      ->check(CLI::ExistingFile)
      ->type_name("FILE");
  command.app->add_option("-o,--output", command.request.output, "Write here (default: standard output)")
      ->type_name("FILE");
}

int main_of(int argc, char** argv) {
  CLI::App app("Turns result records of devmap-conformance into reports.", "devmap-report");
  app.require_subcommand(1);

  Command html;
  describe(app, html, "html", "A static site: the matrix, a page a rule, changes, documentation versus kernel", 0);
  html.app->get_option("--output")->required()->description("The directory to write into")->type_name("DIR");
  std::string findings;
  std::string source_url;
  html.app->add_option("--findings", findings, "Other pages about findings (*.md) than those built in")
      ->check(CLI::ExistingDirectory)
      ->type_name("DIR");
  html.app->add_option("--source-url", source_url, "Where the suite's source can be read: rules link to URL + file")
      ->type_name("URL");

  Command text;
  bool color = false;
  describe(app, text, "text", "For a terminal: one record in full, or several side by side", 0);
  text.app->add_flag("--color", color, "Use colours");

  Command markdown;
  bool all = false;
  std::string title;
  describe(app, markdown, "markdown", "Tables for a pull request: rules that do not conform everywhere, by kernels", 0);
  markdown.app->add_flag("--all", all, "Every rule");
  markdown.app->add_option("--title", title, "The heading")->type_name("TEXT");

  Command junit;
  describe(app, junit, "junit", "JUnit XML of one record (harness/record/junit.xsd)", 1);
  Command ktap;
  describe(app, ktap, "ktap", "KTAP version 1 of one record", 1);

  Command kcidb;
  KcidbOptions kcidb_options;
  describe(app, kcidb, "kcidb", "A submission to KernelCI's KCIDB, I/O schema 5.0", 0);
  const CLI::Validator is_origin(
      [](std::string& name) {
        const bool fits =
            !name.empty() && name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
        return fits ? std::string() : "an origin has small letters, digits and underscores";
      },
      "");
  kcidb.app->add_option("--origin", kcidb_options.origin, "The submitting system (default devmap_conformance)")
      ->check(is_origin)
      ->type_name("NAME");
  kcidb.app->add_option("--build-id", kcidb_options.build_id, "The id of the tested build, if KCIDB has it already")
      ->type_name("ID");

  Command diff;
  describe(app, diff, "diff", "The rules whose verdict is not the same in two records; ends with 1 if there are any",
           2);
  diff.app->get_option("record")->expected(2);
  Command merge;
  describe(app, merge, "merge", "One record of the parts of one run (--shard)", 0);
  Command compact;
  describe(app, compact, "compact",
           "The records of many kernels, small: evidence of what conforms is kept once, a result is a line", 0);
  compact.app->get_option("--output")->required()->description("The directory to write into")->type_name("DIR");

  app.footer(
      "Ends with 0; 1 if `diff` finds a difference, 4 if no record can be read, 64 for wrong usage, 70 if a record\n"
      "cannot be read (the report is of the others) or the report cannot be written.\n\n"
      "Examples:\n"
      "  devmap-report html -o site results\n"
      "    A site of all records in a directory; open site/index.html\n"
      "  devmap-report text before.json after.json\n"
      "    The rules on which two kernels differ, for a terminal\n"
      "  devmap-report diff before.json after.json\n"
      "    What changed from one to the other; ends with 1 where anything did\n"
      "  devmap-report markdown --all -o MATRIX.md results\n"
      "    The whole matrix for a pull request\n"
      "  devmap-report merge -o whole.json part1.json part2.json\n"
      "    The parts of one run as one record");
  const manual::Values records{.files = true};
  std::vector<manual::Completion> completions;
  for (const auto* const command : app.get_subcommands({})) {
    completions.push_back({.command = command->get_name(), .option = "record", .values = records});
  }
  manual::answer_help_json(app, completions);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& answered) {
    return app.exit(answered);
  } catch (const CLI::ParseError& fault) {
    std::fprintf(stderr, "devmap-report: %s; see --help\n", fault.what());
    return kExitUsage;
  }
  if (*html.app) return report_html(html.request, findings, source_url);
  if (*text.app) return report_text(text.request, color);
  if (*markdown.app) return report_markdown(markdown.request, all, title);
  if (*junit.app) return report_junit(junit.request);
  if (*ktap.app) return report_ktap(ktap.request);
  if (*kcidb.app) return report_kcidb(kcidb.request, kcidb_options);
  if (*diff.app) return report_diff(diff.request);
  if (*compact.app) return compact_records(compact.request);
  return merge_records(merge.request);
}

}  // namespace
}  // namespace devmap::reports

int main(int argc, char** argv) {
  try {
    return devmap::reports::main_of(argc, argv);
  } catch (const std::exception& fault) {
    std::fprintf(stderr, "devmap-report: %s\n", fault.what());
    return devmap::reports::kExitBroken;
  }
}
