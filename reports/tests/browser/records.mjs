// Records of runs that never took place: enough of them that the matrix has to scroll both ways, and one with a name that
// is HTML.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const verdicts = ["conforms", "backported", "absent", "known", "unmet", "deviates", "splat", "crash", "timeout", "broken"];

function resultOf(rule, variant, verdict, steps = 0) {
  const kept = verdict === "conforms" || verdict === "backported";
  const evidence = [
    { role: "note", did: "a note about the set-up" },
    { role: "act", did: "the call", expected: "EINVAL", observed: kept ? "EINVAL" : "success", as_expected: kept },
  ];
  for (let step = 0; step < steps; ++step) {
    evidence.push({ role: "act", did: `step ${step} of ${rule}, which says at some length what was done`, expected: "success", observed: "success", as_expected: true });
  }
  return {
    rule, variant, verdict, duration_ms: 1, expected: "the call -> EINVAL", observed: kept ? "EINVAL" : "success", evidence,
    reason: verdict === "unmet" ? "needs something that is missing" : "", advice: kept ? "" : "read on",
  };
}

/** Every verdict occurs, and one rule in ten differs between kernels. */
function verdictOf(number, kernel) {
  return number % 10 === 3 && kernel % 2 === 0 ? verdicts[(number / 10 | 0) % verdicts.length] : "conforms";
}

function write(directory, kernel, context, results) {
  const summary = Object.fromEntries(verdicts.map((v) => [v, results.filter((r) => r.verdict === v).length]));
  const record = {
    schema_version: 1,
    suite: { version: "0.1.0", commit: "0123456789ab" },
    context: {
      release: `6.${kernel}.3-test`, version: "#1 SMP", machine: "x86_64", kernel_label: `6.${kernel}.3-test`, jit: "on", cpus: 2,
      page_size: 4096, config: { CONFIG_VETH: "m" }, mitigations: {}, kernel_log: "watched", attachment: "dispatcher", foreign_warnings: [],
      started: "2024-02-29T12:34:56Z", duration_ms: 5000, partial: false, ...context,
    },
    summary, results,
  };
  writeFileSync(join(directory, `${String(kernel).padStart(2, "0")}.json`), JSON.stringify(record));
}

const apart = [{}, { kernel_label: "<b onmouseover=alert(1)>\"hostile\"</b>" }, { version: "#1 SMP PREEMPT_RT" }, { machine: "aarch64" }, { jit: "off" }];

/** Writes a record a kernel, of all rules of a specification. */
export function writeRecords(directory, specification, kernels) {
  mkdirSync(directory, { recursive: true });
  for (let kernel = 0; kernel < kernels; ++kernel) {
    const results = specification.rules.flatMap((rule, number) => {
      // Generic broadcast corrupts frames on the first ten kernels.
      const corrupts = rule.id === "bcast.generic-copies-without-a-program-are-as-sent" && kernel < 10;
      return rule.variants.map((variant) => resultOf(rule.id, variant, corrupts ? "absent" : verdictOf(number, kernel)));
    });
    write(directory, kernel, apart[kernel], results);
  }
}

/** Writes records of so many checks each, of as many rules as there are, with evidence as long as the suite's. */
export function writeManyRecords(directory, specification, kernels, checks) {
  mkdirSync(directory, { recursive: true });
  for (let kernel = 0; kernel < kernels; ++kernel) {
    const results = [];
    for (let round = 0; results.length < checks; ++round) {
      specification.rules.forEach((rule, number) => {
        if (rule.variants.length <= round || results.length === checks) return;
        results.push(resultOf(rule.id, rule.variants[round], verdictOf(number, kernel), 8));
      });
    }
    write(directory, kernel, {}, results);
  }
}
