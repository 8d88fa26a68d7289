#include <cases/chapters.hpp>
#include <harness/doctor/command.hpp>
#include <harness/spec/suite.hpp>

namespace {

constexpr const char* kExamples =
    "  devmap-conformance\n"
    "    All checks on this kernel, as root; what does not conform is told with its evidence\n"
    "  devmap-conformance --explain EINVAL --chapter update\n"
    "    What an update can have ended in EINVAL for, in the order in which the kernel looks; needs no privilege\n"
    "  devmap-conformance --list --filter 'bcast.generic-*'\n"
    "    The rules about broadcasts in generic mode\n"
    "  devmap-conformance --chapter bcast -o json:result.json -o junit:result.xml\n"
    "    The checks of a chapter, and what came of them in forms for other programs\n"
    "  devmap-conformance --chapter conc --soak 60 -j 1\n"
    "    Races, each for a minute";

}  // namespace

int main(int argc, char** argv) {
  return devmap::suite_main({.name = "devmap-conformance",
                             .rules = devmap::cases::all_chapters(),
                             .calibration = devmap::cases::calibration(),
                             .commands = {devmap::doctor::command()},
                             .examples = kExamples},
                            argc, argv);
}
