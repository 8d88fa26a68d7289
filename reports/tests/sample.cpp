#include <reports/tests/sample.hpp>

#include <fmt/format.h>

namespace devmap::reports::testing_support {
namespace {

SpecifiedRule plain_rule(std::string id, std::string states, std::vector<std::string> variants) {
  SpecifiedRule rule;
  rule.id = std::move(id);
  rule.states = std::move(states);
  rule.source = {"kernel/bpf/devmap.c:function"};
  rule.file = "cases/create.cpp";
  rule.variants = std::move(variants);
  return rule;
}

Result result_of(std::string_view word) {
  const auto slash = word.find('/');
  const auto equals = word.find('=');
  const auto verdict = verdict_named(word.substr(equals + 1)).value();
  const bool as_expected = verdict == Verdict::conforms || verdict == Verdict::backported;
  Result result{.rule = std::string(word.substr(0, slash)),
                .variant = std::string(word.substr(slash + 1, equals - slash - 1)),
                .verdict = verdict,
                .duration_ms = 1.5,
                .expected = "create() -> EINVAL",
                .observed = as_expected ? "EINVAL" : "success",
                .evidence = {{.role = Role::note, .did = "a map of 4 entries"},
                             {.did = "create()",
                              .expected = "EINVAL",
                              .observed = as_expected ? "EINVAL" : "success",
                              .as_expected = as_expected}}};
  if (verdict == Verdict::unmet) result.reason = "needs veth pairs: EOPNOTSUPP";
  if (verdict == Verdict::known) result.reason = "the kernel counts wrongly";
  if (!as_expected) result.advice = "read on";
  return result;
}

}  // namespace

Specification sample_specification() {
  Specification specification;
  specification.chapters = {{"create", "Creation"}, {"update", "Updates"}};
  const std::vector<std::string> both = {"devmap/v4", "devmap/v8"};
  auto size = plain_rule("create.value-size", "A value has 4 or 8 bytes.", both);
  size.since = "5.8";
  size.until = "7.0";
  size.backports = {"5.4.99"};
  size.until_backports = {"6.18.3"};
  size.commits = {"0123456789ab"};
  size.refuses = {"EINVAL"};
  size.needs = {"veth pairs"};
  size.danger = "allocates 16 GiB";
  size.documentation = {{"bpf(2)", "values are small", true}, {"map_devmap.rst", "values are <large>", false}};
  size.known = {{"the kernel counts wrongly", "https://example.org/?a=1&b=2", "6.1", "6.9"}};
  specification.rules = {size, plain_rule("create.flags", "Unknown flags are refused with EINVAL.", both),
                         plain_rule("update.key", "A key beyond the end is refused with E2BIG.", {"once"}),
                         plain_rule("update.any", "An update replaces an entry.", {"once"}),
                         plain_rule("update.never-run", "A rule that no record has.", {"once"})};
  return specification;
}

RunRecord record_of(const std::string& release, const std::vector<std::string_view>& results) {
  RunRecord record{.suite = {.version = "1.2.3", .commit = "0123456789ab"},
                   .context = {.release = release,
                               .version = "#1 SMP",
                               .machine = "x86_64",
                               .kernel_label = release,
                               .jit = "on",
                               .cpus = 2,
                               .page_size = 4096,
                               .config = {{"CONFIG_VETH", "m"}},
                               .mitigations = {{"spectre_v2", "Mitigation: Retpolines"}},
                               .kernel_log = "watched",
                               .attachment = "dispatcher",
                               .started = "2024-02-29T12:34:56Z",
                               .duration_ms = 1234.5}};
  for (const auto word : results) record.results.push_back(result_of(word));
  return record;
}

std::vector<Source> sample_sources() {
  std::vector<Source> sources = {
      {"old.json", record_of("5.10.1-test", {"create.value-size/devmap/v4=absent", "create.value-size/devmap/v8=absent",
                                             "create.flags/devmap/v4=conforms", "create.flags/devmap/v8=conforms",
                                             "update.key/once=unmet", "update.any/once=conforms"})},
      {"new.json",
       record_of("6.12.5-test", {"create.value-size/devmap/v4=known", "create.value-size/devmap/v8=conforms",
                                 "create.flags/devmap/v4=conforms", "create.flags/devmap/v8=conforms",
                                 "update.key/once=conforms", "update.any/once=conforms"})},
      {"rt.json",
       record_of("6.12.5-rt-test", {"create.value-size/devmap/v4=conforms", "create.value-size/devmap/v8=conforms",
                                    "create.flags/devmap/v4=conforms", "create.flags/devmap/v8=deviates",
                                    "update.key/once=conforms", "update.any/once=conforms"})}};
  sources[2].record.context.machine = "aarch64";
  sources[2].record.context.config["CONFIG_PREEMPT_RT"] = "y";
  sources[2].record.context.jit = "off";
  return sources;
}

std::vector<Source> many_sources(std::size_t kernels, std::size_t checks) {
  std::vector<Source> sources;
  for (std::size_t kernel = 0; kernel < kernels; ++kernel) {
    auto record = record_of(fmt::format("6.{}.7-test", kernel), {});
    for (std::size_t check = 0; check < checks; ++check) {
      // Every rule has three variants, and one in twenty is not kept by some kernels.
      const auto rule = check / 3;
      const bool kept = rule % 20 != 0 || kernel % 3 != 0;
      auto result = result_of(fmt::format("many.rule-{}/devmap/v{}={}", rule, check % 3, kept ? "conforms" : "absent"));
      for (int line = 0; line < 8; ++line) {
        result.evidence.push_back(
            {.did = fmt::format("step {} of rule {}, which says at some length what was done", line, rule),
             .expected = "success",
             .observed = "success"});
      }
      record.results.push_back(std::move(result));
    }
    sources.push_back({fmt::format("{}.json", kernel), std::move(record)});
  }
  return sources;
}

Specification specification_of_many(std::size_t checks) {
  Specification specification;
  specification.chapters = {{"many", "Many rules"}};
  for (std::size_t rule = 0; rule * 3 < checks; ++rule) {
    specification.rules.push_back(
        plain_rule(fmt::format("many.rule-{}", rule),
                   "A sentence that is as long as those of real rules usually are, with EINVAL.",
                   {"devmap/v0", "devmap/v1", "devmap/v2"}));
  }
  return specification;
}

}  // namespace devmap::reports::testing_support
