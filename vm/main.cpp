#include <vm/bench_command.hpp>
#include <vm/command_support.hpp>
#include <vm/commands.hpp>
#include <vm/fetch_command.hpp>
#include <vm/kernels_command.hpp>
#include <vm/matrix_command.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <harness/manual/command_line.hpp>
#include <string_view>

namespace devmap::vm {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  devmap-vm fetch 6.1 6.12\n"
    "    Downloads two kernels; says how much that is first\n"
    "  devmap-vm run --kernel 6.12 --record result.json -- --chapter update\n"
    "    A chapter of the suite on one of them\n"
    "  devmap-vm run --kernel ~/linux --jit off --shell\n"
    "    A shell on a kernel that was built in this directory, with the interpreter\n"
    "  devmap-vm matrix --set full --directory results --resume\n"
    "    The suite on all x86-64 kernels, but for those of which a record is there\n"
    "  devmap-vm bench 6.1 7.3\n"
    "    What device maps cost on two kernels, in instructions";

int main_of(int argc, char** argv) {
  CLI::App app("Runs the suite on other kernels, in virtual machines: without KVM, and without root.", "devmap-vm");
  app.require_subcommand(1);
  std::string catalogue;
  app.add_option("--catalogue", catalogue, "The kernels that are known by name (default: those that were built in)")
      ->type_name("FILE");

  auto* const kernels = app.add_subcommand("kernels", "List the kernels that are known, and what was fetched of each");

  auto* const fetch = app.add_subcommand("fetch", "Download kernels, from the Debian mirror that apt uses here");
  FetchOptions wanted;
  auto* const named =
      fetch->add_option("name", wanted.names, "Names that `devmap-vm kernels` lists")->type_name("NAME");
  auto* const of_set = fetch->add_option("--set", wanted.set, "Those of a set: quick, full, all, or a file with one")
                           ->type_name("NAME|FILE")
                           ->excludes(named);
  fetch->add_flag("--all", wanted.all, "All of them")->excludes(named)->excludes(of_set);
  fetch->add_flag("--missing", wanted.only_missing, "Only what is not here at all, be it the newest or not");

  auto* const run = app.add_subcommand("run", "Boot a kernel and run the suite on it; arguments after -- are its own");
  RunOptions options;
  unsigned limit_s = static_cast<unsigned>(options.limit.count());
  run->add_option(
         "--kernel", options.kernel,
         "A name that `devmap-vm kernels` lists; newest (of those fetched); host (the one that runs here); a bzImage; "
         "a .deb; or the directory of a build or of an unpacked package")
      ->required()
      ->type_name("NAME|FILE|DIR");
  run->add_flag("--fetch", options.fetch, "Download the kernel first, where it is not here");
  run->add_option("--modules", options.modules, "Where the kernel's modules are")
      ->check(CLI::ExistingDirectory)
      ->type_name("DIR");
  const auto is_architecture = CLI::Validator(
      [](const std::string& name) {
        return architecture_named(name) == nullptr ? "not one of " + architecture_names() : std::string();
      },
      "ARCHITECTURE");
  run->add_option("--architecture", options.architecture, "What a kernel is for that is a file (default amd64)")
      ->check(is_architecture);
  run->add_option("--suite-architecture", options.suite_architecture,
                  "What the suite is built for, if not for the kernel's architecture: i386 on amd64, armhf on arm64")
      ->check(is_architecture);
  run->add_option("--suite", options.suite, "The suite to run (default: the one beside this program)")
      ->check(CLI::ExistingFile)
      ->type_name("FILE");
  run->add_option("--record", options.record, "Write the result record here (JSON)")->type_name("FILE");
  run->add_option("--console", options.console, "Keep the console of the guest here")->type_name("FILE");
  run->add_option("--cmdline", options.command_line, "Appended to the kernel's command line")->type_name("TEXT");
  run->add_option("--jit", options.jit, "on, off (the interpreter) or harden (default: as the kernel has it)")
      ->check(CLI::IsMember({"on", "off", "harden"}))
      ->type_name("HOW");
  run->add_option("--label", options.label, "What the record calls this kernel (default: its release)")
      ->type_name("TEXT");
  run->add_option("--known", options.known, "Deviations that are known, with their reasons (JSON)")
      ->check(CLI::ExistingFile)
      ->type_name("FILE");
  run->add_flag("--no-dangerous", options.without_dangerous,
                "Without the rules that may crash, hang or exhaust a kernel");
  run->add_option("--cpus", options.cpus, "Processors of the guest (default: 2, or 1 on armhf)")
      ->check(CLI::Range(1U, 64U))
      ->type_name("N");
  run->add_option("--machines", options.machines,
                  "Share the checks out among N guests at a time (default: as many as processors, at most 4; 1 where "
                  "checks are chosen)")
      ->check(CLI::Range(1U, 64U))
      ->type_name("N");
  run->add_option("--memory", options.memory_mib, "MiB of the guest (default: 512, or what its architecture takes)")
      ->check(CLI::Range(128U, 1U << 20))
      ->type_name("N");
  run->add_option("--timeout", limit_s, "Seconds each boot of the guest may take (default 900)")
      ->check(CLI::Range(1U, 86400U))
      ->type_name("S");
  run->add_flag("--dry-run", options.dry_run, "Print QEMU's command line and do nothing");
  run->add_flag("--shell", options.shell, "A shell in the guest, with the suite in it");
  run->add_flag("--gdb", options.gdb, "Wait for a debugger on port 1234 before the kernel's first instruction");
  run->footer(
      "Dangerous rules run after all others. A check that takes the guest down gets the verdict crash or timeout, and\n"
      "a further boot goes on with the rest.\n\nEnds with the suite's exit code; 1 if a check crashes or the guest's\n"
      "kernel panics, 4 if QEMU or the kernel is not there, 70 if the guest does not boot or is killed,\n"
      "124 if it does not end in time.");

  auto* const matrix = app.add_subcommand(
      "matrix", "Run the suite on many kernels and compare what they do; arguments after -- are the suite's own");
  MatrixOptions many;
  unsigned each_limit_s = static_cast<unsigned>(many.limit.count());
  auto* const many_set =
      matrix->add_option("--set", many.set, "quick (default), full, all, or a file with a set")->type_name("NAME|FILE");
  matrix->add_option("kernel", many.kernels, "Instead of a set: kernels as `run --kernel` takes them")
      ->type_name("KERNEL")
      ->excludes(many_set);
  matrix->add_option("--directory", many.directory, "Where the records go (default: matrix)")->type_name("DIR");
  matrix->add_option("--jobs", many.jobs, "Guests at a time (default: one more than processors)")
      ->check(CLI::Range(1U, 256U))
      ->type_name("N");
  matrix->add_flag("--fetch", many.fetch, "Download first the kernels that are not here");
  matrix->add_flag("--resume", many.resume, "Pass over kernels of which a complete record of this suite is there");
  matrix->add_flag("--all-rows", many.all_rows, "Show also the rules that all kernels treat alike");
  auto* const github = matrix->add_flag("--github", many.github, "Print the kernels as a matrix for GitHub Actions");
  matrix->add_option("--suite", many.suite, "The suite to run (default: the one beside this program)")
      ->check(CLI::ExistingFile)
      ->type_name("FILE")
      ->excludes(github);
  matrix->add_option("--known", many.known, "Deviations that are known (default: those that were built in)")
      ->type_name("FILE");
  matrix->add_option("--memory", many.memory_mib, "MiB of each guest (default: 512, or what its architecture takes)")
      ->check(CLI::Range(128U, 1U << 20))
      ->type_name("N");
  matrix->add_option("--timeout", each_limit_s, "Seconds each guest may take (default 1800)")
      ->check(CLI::Range(1U, 86400U))
      ->type_name("S");
  matrix->footer(
      "Ends with 0 if all kernels conform, 1 if one deviates or panics, 124 if one does not end in time, 70 if the "
      "suite\n"
      "or a guest is broken, 4 if a kernel could not be run and nothing else is wrong, 128 + N after signal N.");

  auto* const merge = app.add_subcommand("merge", "Compare what result records of several kernels say");
  std::vector<std::string> records;
  bool all_rows = false;
  merge->add_option("record", records, "Result records (JSON)")->required()->type_name("FILE");
  merge->add_flag("--all-rows", all_rows, "Show also the rules that all kernels treat alike");

  auto* const bench = app.add_subcommand(
      "bench", "Count what device maps cost on kernels, in instructions, which are the same every time");
  BenchOptions counted;
  unsigned count_limit_s = static_cast<unsigned>(counted.limit.count());
  auto* const bench_set = bench->add_option("--set", counted.set, "quick (default), full, all, or a file with a set")
                              ->type_name("NAME|FILE");
  bench->add_option("kernel", counted.kernels, "Instead of a set: kernels as `run --kernel` takes them")
      ->type_name("KERNEL")
      ->excludes(bench_set);
  bench->add_option("--directory", counted.directory, "Where the records go (default: bench)")->type_name("DIR");
  bench->add_option("--jobs", counted.jobs, "Kernels at a time, in two guests each (default: one for two processors)")
      ->check(CLI::Range(1U, 256U))
      ->type_name("N");
  bench->add_flag("--fetch", counted.fetch, "Download first the kernels that are not here");
  bench->add_option("--filter", counted.filter, "Only benchmarks whose names this regular expression matches")
      ->type_name("REGEX");
  bench
      ->add_option("--benchmarks", counted.benchmarks, "The devmap-bench to run (default: the one beside this program)")
      ->check(CLI::ExistingFile)
      ->type_name("FILE");
  bench->add_option("--timeout", count_limit_s, "Seconds each guest may take (default 300)")
      ->check(CLI::Range(1U, 86400U))
      ->type_name("S");
  bench->footer(
      "Every kernel is run twice; a figure in which the two runs differ is left out of its record,\n"
      "bench-instructions-LABEL.json. devmap-bench compare tells what became dearer from one record to another.\n"
      "Ends with 0 if all runs are identical, 1 if two differ or a kernel panics, 124 if a guest does not end in "
      "time,\n"
      "70 if a guest or the benchmarks are broken, 4 if a kernel could not be run, 128 + N after signal N.");

  // Set after the commands, which would inherit it.
  app.footer(kExamples);
  const manual::Values known{.asked = {"kernels"}, .headed = true};
  const manual::Values known_or_file{.files = true, .asked = {"kernels"}, .headed = true};
  const manual::Values sets{.words = {"quick", "full", "all"}};
  manual::answer_help_json(app, {{.command = "fetch", .option = "name", .values = known},
                                 {.command = "fetch", .option = "--set", .values = sets},
                                 {.command = "run", .option = "--kernel", .values = known_or_file},
                                 {.command = "matrix", .option = "kernel", .values = known_or_file},
                                 {.command = "matrix", .option = "--set", .values = sets},
                                 {.command = "bench", .option = "kernel", .values = known_or_file},
                                 {.command = "bench", .option = "--set", .values = sets}});

  // What follows -- is not for CLI11, which would take the options among it for its own.
  char** const end = argv + argc;
  char** const separator = std::find(argv, end, std::string_view("--"));
  const std::vector<std::string> of_suite(separator == end ? end : separator + 1, end);
  try {
    app.parse(static_cast<int>(separator - argv), argv);
  } catch (const CLI::Success& answered) {
    return app.exit(answered);
  } catch (const CLI::ParseError& fault) {
    // An unknown option is told before what CLI11 may see in its value, such as a name that --set excludes.
    const std::vector<std::string> unknown = app.remaining(true);
    const auto option = std::ranges::find_if(unknown, [](const auto& one) { return one.starts_with('-'); });
    return complain(option == unknown.end() ? fault.what() : fmt::format("there is no option {}", *option), kExitUsage);
  }
  if (separator != end && !*run && !*matrix) return complain("only run and matrix take arguments after --", kExitUsage);
  if (*kernels) return list_kernels(catalogue);
  if (*fetch) {
    if (!wanted.all && wanted.set.empty() && wanted.names.empty()) {
      return complain("fetch: name kernels, or a --set, or --all of them", kExitUsage);
    }
    return fetch_kernels(catalogue, wanted);
  }
  if (*matrix) {
    many.limit = std::chrono::seconds(each_limit_s);
    many.arguments = of_suite;
    return run_matrix(catalogue, many);
  }
  if (*bench) {
    counted.limit = std::chrono::seconds(count_limit_s);
    return run_bench(catalogue, counted);
  }
  if (*merge) return merge_records(records, all_rows);
  if (options.shell && separator != end)
    return complain("run: --shell runs no suite that arguments could go to", kExitUsage);
  options.arguments = of_suite;
  options.limit = std::chrono::seconds(limit_s);
  return run_suite(catalogue, options);
}

}  // namespace
}  // namespace devmap::vm

int main(int argc, char** argv) {
  try {
    return devmap::vm::main_of(argc, argv);
  } catch (const std::exception& fault) {
    std::fprintf(stderr, "devmap-vm: %s\n", fault.what());
    return devmap::vm::kExitBroken;
  }
}
