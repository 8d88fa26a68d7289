#include <harness/doctor/command.hpp>

#include <unistd.h>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <harness/base/output_file.hpp>
#include <harness/doctor/report.hpp>
#include <harness/manual/command_line.hpp>
#include <harness/record/record.hpp>
#include <harness/spec/run.hpp>
#include <sstream>

namespace devmap::doctor {
namespace {

constexpr const char* kSummary = "Say whether a redirect from IN to OUT delivers, and if not, why and what to do";

constexpr const char* kNotes =
    "Interfaces go by name or ifindex. Nothing is changed, and apart from --probe and from looking into other\n"
    "namespaces no privilege is needed; what cannot be learned is said to be unknown.\n"
    "\n"
    "--probe sends 16 frames of the experimental EtherType 0x88b5 to OUT and looks at the tracepoints, at what OUT\n"
    "counts, and where OUT is a veth device, at what its peer receives. In native mode they come from a live test "
    "run,\n"
    "in generic mode from a scratch device in a namespace of its own: no program is attached to IN or OUT, so how\n"
    "frames get into IN is not shown. Where OUT is no veth device, it shows that OUT's driver took them, and not that\n"
    "anybody received them.\n"
    "\n"
    "Exit codes: 0 every mode asked about delivers, 1 one does not, 4 it cannot be told, or a probe was not possible,\n"
    "64 usage, 70 an error of the program's own.\n"
    "\n"
    "Examples:\n"
    "  devmap-conformance doctor eth0 veth0\n"
    "    Whether a redirect from eth0 to veth0 delivers, in native and in generic mode, and if not, why\n"
    "  devmap-conformance doctor eth0 eth0 --out-netns pod --mode native --size 1514\n"
    "    The same of a target in the namespace pod, for native programs and frames of 1514 bytes\n"
    "  devmap-conformance doctor eth0 veth0 --probe --json\n"
    "    Sends frames as well, as root, and prints all that was found as JSON";

struct Asked {
  std::string in = {};
  std::string out = {};
  std::string mode = {};
  std::string out_namespace = {};
  std::optional<std::uint32_t> size = {};
  bool probe = false;
  bool json = false;
  std::string color = "auto";
};

/// Reads the command line; an exit code where that was all.
std::optional<int> parse(const std::string& program, int argc, const char* const* argv, Asked& asked) {
  CLI::App app(kSummary, program + " doctor");
  app.footer(kNotes);
  app.get_formatter()->column_width(34);
  app.add_option("IN", asked.in, "The device whose program redirects")->required();
  app.add_option("OUT", asked.out, "The device in the map")->required();
  app.add_option("--mode", asked.mode, "Only this mode: native or generic")
      ->check(CLI::IsMember({"native", "generic"}))
      ->type_name("MODE");
  app.add_option("--size", asked.size,
                 "Bytes of the frames, with their Ethernet header (default: all that IN receives)")
      ->check(CLI::Range(14U, 65535U))
      ->type_name("BYTES");
  app.add_option(
         "--out-netns", asked.out_namespace,
         "The namespace OUT is in, from which you enter it into the map: a name of ip-netns, a process or a path")
      ->type_name("NAME");
  app.add_flag("--probe", asked.probe, "Send frames to OUT to prove it (see below)");
  app.add_flag("--json", asked.json, "Print one JSON object, with the facts that were found");
  app.add_option("--color", asked.color, "auto, always or never")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->type_name("WHEN");
  const manual::Values devices{.interfaces = true};
  manual::answer_help_json(app, {{.option = "IN", .values = devices}, {.option = "OUT", .values = devices}});
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& answered) {
    std::ostringstream text;
    app.exit(answered, text, text);
    const auto written = write_file("-", text.str());
    return written ? kExitConforms : complain(program, written.error().text(), kExitBroken);
  } catch (const CLI::ParseError& error) {
    return complain(program, fmt::format("doctor: {} (see doctor --help)", error.what()), kExitUsage);
  }
  return std::nullopt;
}

bool wants_color(const Asked& asked) {
  if (asked.color != "auto") return asked.color == "always";
  return isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
}

Expected<Named> find_in(const std::string& text) {
  auto found = device_named(text);
  if (found) return found;
  if (const auto elsewhere = device_named_elsewhere(text)) {
    return failure("interface '" + text + "'", ENODEV,
                   fmt::format("it is in {}; ask from there: {} devmap-conformance doctor ...",
                               elsewhere->elsewhere->title, elsewhere->elsewhere->enter));
  }
  return found;
}

Expected<Named> find_out(const Asked& asked) {
  if (!asked.out_namespace.empty()) return device_named_in(namespace_called(asked.out_namespace), asked.out);
  auto found = device_named(asked.out);
  if (found) return found;
  if (auto elsewhere = device_named_elsewhere(asked.out)) return std::move(*elsewhere);
  return found;
}

Report report_on(Situation situation, const Asked& asked) {
  situation.size = asked.size;
  situation.out_entered_there = !asked.out_namespace.empty();
  Report report{.situation = std::move(situation)};
  for (const auto mode : {Mode::native, Mode::generic}) {
    if (!asked.mode.empty() && asked.mode != name_of(mode)) continue;
    ModeReport about{.mode = mode, .findings = diagnose(report.situation, mode)};
    if (asked.probe) {
      about.probe = probe(report.situation, mode);
      consider(*about.probe, report.situation, about.findings);
    }
    report.modes.push_back(std::move(about));
  }
  return report;
}

int run(const std::string& program, int argc, const char* const* argv) {
  Asked asked;
  if (const auto ended = parse(program, argc, argv, asked)) return *ended;
  const auto in = find_in(asked.in);
  if (!in) return complain(program, "doctor: " + in.error().text(), kExitUsage);
  const auto out = find_out(asked);
  if (!out) return complain(program, "doctor: " + out.error().text(), kExitUsage);
  auto situation = examine(*in, *out);
  if (!situation) return complain(program, "doctor: " + situation.error().text(), kExitBroken);
  const auto report = report_on(std::move(*situation), asked);
  const auto written = write_file("-", asked.json ? as_json(report) : as_text(report, wants_color(asked)));
  if (!written) return complain(program, written.error().text(), kExitBroken);
  return exit_code(report);
}

}  // namespace

Command command() {
  return {.name = "doctor", .arguments = "IN OUT", .summary = kSummary, .main = run};
}

}  // namespace devmap::doctor
