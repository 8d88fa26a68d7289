#include <harness/record/tests/sample_record.hpp>

#include <string_view>

namespace devmap::testing_support {
namespace {

Evidence act(const char* did, const char* expected, const char* observed) {
  return {
      .did = did, .expected = expected, .observed = observed, .as_expected = std::string_view(expected) == observed};
}
Evidence control(const char* did, const char* observed) {
  return {.role = Role::control,
          .did = did,
          .expected = "success",
          .observed = observed,
          .as_expected = std::string_view(observed) == "success"};
}
Evidence note(const char* text) {
  return {.role = Role::note, .did = text};
}

/// More evidence than a person wants to read, with what matters at its end.
std::vector<Evidence> long_evidence() {
  std::vector<Evidence> evidence;
  for (int i = 0; i < 15; ++i) evidence.push_back(act("one of many steps", "success", "success"));
  evidence.push_back(act("the step that matters", "0", "1"));
  return evidence;
}

}  // namespace

RunRecord sample_record() {
  return {.suite = {.version = "1.2.3", .commit = "0123456789ab-dirty"},
          .context = {.release = "6.12.5-test",
                      .version = "#1 SMP",
                      .machine = "x86_64",
                      .kernel_label = "test kernel <6.12.5> & \"friends\"",
                      .jit = "on",
                      .cpus = 2,
                      .page_size = 4096,
                      .config = {{"CONFIG_DUMMY", "m"}, {"CONFIG_VETH", "y"}},
                      .mitigations = {{"spectre_v2", "Mitigation: Retpolines"}},
                      .kernel_log = "open: EPERM (Operation not permitted): /dev/kmsg",
                      .foreign_warnings = {"WARNING: CPU: 0 PID: 1 at net/core/invented.c:1 f+0x1/0x2"},
                      .started = "2024-02-29T12:34:56Z",
                      .duration_ms = 1234.5,
                      .partial = true},
          .results = {
              {.rule = "create.value-size",
               .variant = "devmap/v4",
               .verdict = Verdict::conforms,
               .duration_ms = 0.25,
               .expected = "map create() -> EINVAL",
               .observed = "EINVAL",
               .evidence = {act("map create()", "EINVAL", "EINVAL"), control("map create()", "success")}},
              {.rule = "create.value-size",
               .variant = "devmap/v8",
               .verdict = Verdict::deviates,
               .duration_ms = 1,
               .expected = "map create() -> EINVAL",
               .observed = "success",
               .evidence = {note("tried with <8> bytes & more"), act("map create()", "EINVAL", "success"),
                            control("map create()", "EPERM")},
               .advice = "compare a with b"},
              {.rule = "create.value-size",
               .variant = "devmap_hash/v8",
               .verdict = Verdict::deviates,
               .duration_ms = 1.125,
               .expected = "map create() -> EINVAL",
               .observed = "success",
               .evidence = {act("map create()", "EINVAL", "success")},
               .advice = "compare a with b"},
              {.rule = "create.backported", .variant = "once", .verdict = Verdict::backported, .advice = "nothing"},
              {.rule = "create.absent",
               .variant = "once",
               .verdict = Verdict::absent,
               .expected = "the count -> 2",
               .observed = "1",
               .evidence = {act("the count", "2", "1")},
               .advice = "nothing"},
              {.rule = "update.known",
               .variant = "once",
               .verdict = Verdict::known,
               .reason = "a bug (https://example.org/?a=1&b=2)",
               .advice = "nothing: listed as known"},
              {.rule = "update.healed",
               .variant = "once",
               .verdict = Verdict::conforms,
               .reason = "no longer deviates, although listed as known: a bug"},
              {.rule = "update.unmet",
               .variant = "once",
               .verdict = Verdict::unmet,
               .reason = "needs veth pairs: EOPNOTSUPP",
               .advice = "load the module veth"},
              {.rule = "event.splat",
               .variant = "once",
               .verdict = Verdict::splat,
               .reason = "the kernel logged: WARNING: at f\nBUG: at g",
               .advice = "read the kernel log"},
              {.rule = "event.crash", .variant = "once", .verdict = Verdict::crash, .reason = "ended by SIGSEGV (11)"},
              {.rule = "event.timeout",
               .variant = "once",
               .verdict = Verdict::timeout,
               .duration_ms = 10'000,
               .reason = "no end after 10.0 s"},
              {.rule = "event.broken",
               .variant = "once",
               .verdict = Verdict::broken,
               .evidence = long_evidence(),
               .reason = "load program(): EACCES (Permission denied): 0: R1=ctx\n1: \x1b[31mR0 \xc3\xa9 !read_ok",
               .advice = "report it"},
              {.rule = "update.known",
               .variant = "once",
               .verdict = Verdict::deviates,
               .expected = "the count -> 2",
               .observed = "1",
               .evidence = {act("the count", "2", "1")},
               .iteration = 2},
          }};
}

Statements sample_statements() {
  return {{"create.value-size", "A value has 4 or 8 bytes."},
          {"create.absent", "A sentence about device maps."},
          {"update.unmet", "A sentence about device maps."}};
}

}  // namespace devmap::testing_support
