#include <vm/commands.hpp>

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
  std::vector<std::string> names;
  bool all = false;
  auto* const named = fetch->add_option("name", names, "Names that `devmap-vm kernels` lists")->type_name("NAME");
  fetch->add_flag("--all", all, "All of them")->excludes(named);

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
  run->add_option("--cpus", options.cpus, "Processors of the guest (default 2)")
      ->check(CLI::Range(1U, 64U))
      ->type_name("N");
  run->add_option("--memory", options.memory_mib, "MiB of the guest (default 512)")
      ->check(CLI::Range(128U, 1U << 20))
      ->type_name("N");
  run->add_option("--timeout", limit_s, "Seconds each boot of the guest may take (default 900)")
      ->check(CLI::Range(1U, 86400U))
      ->type_name("S");
  run->add_flag("--dry-run", options.dry_run, "Print QEMU's command line and do nothing");
  auto* const shell = run->add_flag("--shell", options.shell, "A shell in the guest, with the suite in it");
  run->add_flag("--gdb", options.gdb, "Wait for a debugger on port 1234 before the kernel's first instruction");
  shell->excludes(
      run->add_option("arguments", options.arguments, "Arguments of the suite, after --")->type_name("ARGUMENT"));
  run->footer(
      "Dangerous rules run after all others. A check that takes the guest down gets the verdict crash or timeout, and "
      "a\n"
      "further boot goes on with the rest. Ends with the suite's exit code; 1 if a check crashes or the guest's "
      "kernel\n"
      "panics, 4 if QEMU or the kernel is not there, 70 if the guest does not boot or is killed, 124 if it does not "
      "end "
      "in time.");

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
    if (!all && names.empty()) {
      std::fputs("devmap-vm: fetch: name kernels, or --all of them\n", stderr);
      return kExitUsage;
    }
    return fetch_kernels(catalogue, names);
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
