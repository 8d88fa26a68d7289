#include <cases/chapters.hpp>
#include <harness/spec/suite.hpp>

int main(int argc, char** argv) {
  return devmap::suite_main({.name = "devmap-conformance",
                             .rules = devmap::cases::all_chapters(),
                             .calibration = devmap::cases::calibration()},
                            argc, argv);
}
