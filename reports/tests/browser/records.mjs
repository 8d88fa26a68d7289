// Records of runs that never took place: enough of them that the matrix has to scroll both ways, and one with a name that
// is HTML.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const verdicts = ["conforms", "backported", "absent", "known", "unmet", "deviates", "splat", "crash", "timeout", "broken"];

function resultOf(rule, variant, verdict) {
  const kept = verdict === "conforms" || verdict === "backported";
  return {
    rule, variant, verdict, duration_ms: 1, expected: "the call -> EINVAL", observed: kept ? "EINVAL" : "success",
    evidence: [
      { role: "note", did: "a note about the set-up" },
      { role: "act", did: "the call", expected: "EINVAL", observed: kept ? "EINVAL" : "success", as_expected: kept },
    ],
    reason: verdict === "unmet" ? "needs something that is missing" : "", advice: kept ? "" : "read on",
  };
}

/** Writes a record a kernel, of all rules of a specification; returns their number. */
export function writeRecords(directory, specification, kernels) {
  mkdirSync(directory, { recursive: true });
  for (let kernel = 0; kernel < kernels; ++kernel) {
    const label = kernel === 1 ? "<b onmouseover=alert(1)>\"hostile\"</b>" : `6.${kernel}.3-test`;
    const results = [];
    specification.rules.forEach((rule, number) => {
      // Every verdict occurs, and one rule in ten differs between kernels.
      const verdict = number % 10 === 3 && kernel % 2 === 0 ? verdicts[(number / 10 | 0) % verdicts.length] : "conforms";
      // Generic broadcast corrupts frames on the first ten kernels.
      const corrupts = rule.id === "bcast.generic-copies-without-a-program-are-as-sent" && kernel < 10;
      for (const variant of rule.variants) results.push(resultOf(rule.id, variant, corrupts ? "absent" : verdict));
    });
    const summary = Object.fromEntries(verdicts.map((v) => [v, results.filter((r) => r.verdict === v).length]));
    const record = {
      schema_version: 1,
      suite: { version: "0.1.0", commit: "0123456789ab" },
      context: {
        release: `6.${kernel}.3-test`, version: kernel === 2 ? "#1 SMP PREEMPT_RT" : "#1 SMP", machine: kernel === 3 ? "aarch64" : "x86_64",
        kernel_label: label, jit: kernel === 4 ? "off" : "on", cpus: 2, page_size: 4096, config: { CONFIG_VETH: "m" }, mitigations: {},
        kernel_log: "watched", attachment: "dispatcher", foreign_warnings: [], started: "2024-02-29T12:34:56Z", duration_ms: 5000, partial: false,
      },
      summary, results,
    };
    writeFileSync(join(directory, `${String(kernel).padStart(2, "0")}.json`), JSON.stringify(record));
  }
}
