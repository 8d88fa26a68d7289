#include <vm/command_support.hpp>
#include <vm/commands.hpp>
#include <vm/fetch_command.hpp>
#include <vm/kernels_command.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>

namespace devmap::vm {
namespace {

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
  run->add_option("--kernel", options.kernel, "A name that `devmap-vm kernels` lists, a bzImage, or a .deb of one")
      ->required()
      ->type_name("NAME|FILE");
  run->add_option("--modules", options.modules, "Where the kernel's modules are")
      ->check(CLI::ExistingDirectory)
      ->type_name("DIR");
  run->add_option("--suite", options.suite, "The suite to run (default: the one beside this program)")
      ->check(CLI::ExistingFile)
      ->type_name("FILE");
  run->add_option("--record", options.record, "Write the result record here (JSON)")->type_name("FILE");
  run->add_option("--console", options.console, "Keep the console of the guest here")->type_name("FILE");
  run->add_option("--cmdline", options.command_line, "Appended to the kernel's command line")->type_name("TEXT");
  run->add_option("--cpus", options.cpus, "Processors of the guest (default 2)")
      ->check(CLI::Range(1U, 64U))
      ->type_name("N");
  run->add_option("--memory", options.memory_mib, "MiB of the guest (default 512)")
      ->check(CLI::Range(128U, 1U << 20))
      ->type_name("N");
  run->add_option("--timeout", limit_s, "Seconds the guest may take (default 900)")
      ->check(CLI::Range(1U, 86400U))
      ->type_name("S");
  run->add_flag("--dry-run", options.dry_run, "Print QEMU's command line and do nothing");
  run->add_option("arguments", options.arguments, "Arguments of the suite, after --")->type_name("ARGUMENT");
  run->footer(
      "Ends with the suite's exit code; 1 if the guest's kernel panics, 4 if QEMU or the kernel is not there,\n"
      "70 if the guest does not boot or is killed, 124 if it does not end in time.");

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& answered) {
    return app.exit(answered);
  } catch (const CLI::ParseError& fault) {
    std::fprintf(stderr, "devmap-vm: %s\n", fault.what());
    return kExitUsage;
  }
  if (*kernels) return list_kernels(catalogue);
  if (*fetch) {
    if (!wanted.all && wanted.set.empty() && wanted.names.empty()) {
      return complain("fetch: name kernels, or a --set, or --all of them", kExitUsage);
    }
    return fetch_kernels(catalogue, wanted);
  }
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
