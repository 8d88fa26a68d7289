#include <harness/spec/case.hpp>
#include <harness/spec/suite.hpp>

#include <cerrno>

int main(int argc, char** argv) {
  devmap::Registry rules;
  rules.chapter("own", "Rules of my own");
  rules.add({
      .id = "own.key-size-is-4",
      .states = "A device map whose keys have 5 bytes is refused with EINVAL.",
      .refuses = {EINVAL},
      .source = {"kernel/bpf/devmap.c:dev_map_alloc_check"},
      .variants = devmap::once(),
      .check =
          [](devmap::Case& c) {
            c.refuses(devmap::Map::create({.type = BPF_MAP_TYPE_DEVMAP, .key_size = 5}), EINVAL)
                .control(devmap::Map::create({.type = BPF_MAP_TYPE_DEVMAP, .key_size = 4}));
          },
  });
  return devmap::suite_main({.name = "own-rules", .rules = rules, .calibration = {}}, argc, argv);
}
