#include <harness/spec/tests/sample_registry.hpp>

#include <cerrno>

#include <harness/spec/tests/support.hpp>

namespace devmap::testing_support {

Registry sample_registry() {
  Registry registry;
  registry.chapter("create", "Creation");
  Rule full = make_rule("create.value-size");
  full.states = "A value has 4 or 8 bytes.";
  full.refuses = {EINVAL, kErrnoNotsupp};
  full.since = {5, 8};
  full.backports = {{5, 4, 99}};
  full.until = KernelVersion{7, 0};
  full.until_backports = {{6, 18, 3}, {6, 12, 9}};
  full.commits = {"0123456789ab"};
  full.catalogue = {"CREATE-01", "CREATE-02"};
  full.documentation = {{.where = "bpf(2)", .statement = "values are small"},
                        {.where = "map_devmap.rst", .statement = "values are large", .agrees = false}};
  full.variants = any_map();
  full.needs = {{.name = "veth pairs", .remedy = "load veth", .probe = nullptr}};
  full.danger = "allocates 16 GiB";
  full.known = {{.reason = "a bug", .link = "https://example.org", .since = {6, 1}, .until = KernelVersion{6, 2}},
                {.reason = "another bug"}};
  registry.add(full);
  registry.add(make_rule("create.absent"));
  registry.chapter("update", "Updates");
  registry.add(make_rule("update.unmet"));
  return registry;
}

}  // namespace devmap::testing_support
