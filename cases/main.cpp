#include <cases/chapters.hpp>
#include <harness/doctor/command.hpp>
#include <harness/spec/suite.hpp>

int main(int argc, char** argv) {
  return devmap::suite_main({.name = "devmap-conformance",
                             .rules = devmap::cases::all_chapters(),
                             .calibration = devmap::cases::calibration(),
                             .commands = {devmap::doctor::command()}},
                            argc, argv);
}
