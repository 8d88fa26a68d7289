// Records of benchmarks that never took place: three layers, with figures that were left out, that are unreliable, and
// with names that are HTML.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

export const hostile = "</script><b onmouseover=alert(1)>\"hostile\"</b>";
export const instructionKernels = ["5.10.264", "6.1.192", "6.12.117", "7.3.4"];

const names = [1, 64, 4096, 65536, 1000000].flatMap((entries) => ["devmap", "devmap_hash"].flatMap((type) =>
  ["lookup", "update_replace", "iterate"].map((operation) => [`${operation}/${type}/${entries}`, operation === "iterate" ? 90 * entries : 2000])))
  .concat([1, 2, 4, 8, 16, 32].flatMap((devices) => ["devmap", "devmap_hash"].map((type) =>
    [`live/broadcast/${type}/devices:${devices}/batch:${Math.max(1, 64 / devices)}`, 900 * devices])))
  .concat([["live/drop", 500], ["live/redirect", 1100], ["live/redirect_map/devmap", 1150], ["syscall/getppid", 90]]);

/** Writes a record of instructions a kernel, one of times and one of peers into a directory. */
export function writeBenchmarks(directory) {
  const put = (name, record) => writeFileSync(join(directory, name), JSON.stringify(record));
  instructionKernels.forEach((kernel, number) => put(`bench-instructions-${number}.json`, {
    schema_version: 1, layer: "instructions",
    context: { kernel, release: `${kernel}-test`, label: kernel.replace(/\.\d+$/, ""), machine: "x86_64", commit: "0123456789ab", qemu: "7.2", runs: "2", command_line: hostile },
    benchmarks: names.map(([name, base], i) => (i === 3 && number === 1
      ? { name, left_out: `the two runs differ: 2123, 2125 ${hostile}` }
      : { name, per: name.startsWith("live/") ? "frame" : "call", instructions: base + 37 * number + (name.includes("hash") ? base / 8 : 0) })),
  }));
  put("bench-time.json", {
    schema_version: 1, layer: "time", context: { kernel: "6.18.44-test", cpu: hostile, machine: "x86_64", jit: "on" },
    benchmarks: names.map(([name, base], i) => ({
      name, facts: { processors: 1 }, status: i === 4 ? "unreliable" : i === 5 ? "unmet" : "reliable", unit: "ns", kept: 30, taken: 40,
      ...(i === 4 ? { reason: "its ratio to itself is 1.031 [1.020, 1.040]" } : i === 5 ? { reason: "needs something" }
        : { median: base / 3, p10: base / 3.2, p90: base / 2.7, to_itself: { ratio: 1.001, low: 0.995, high: 1.006 },
            baseline: names[0][0], to_baseline: { ratio: base / 2000, low: base / 2010, high: base / 1990 } }),
      samples: [base / 3],
    })),
  });
  put("bench-peer.json", {
    schema_version: 1, layer: "peer", context: { kernel: "6.18.44-test", xdp_tools: "1.6.3" },
    comparisons: ["direct", "redirect-map", "broadcast to 4"].map((path, i) => (i === 2
      ? { path, unit: "packets per CPU second", unreliable: "ours against itself is 1.03", kept: 8, taken: 20, sent: 100, delivered: 100 }
      : { path, unit: "packets per CPU second", ours: { median: 1350000, p10: 1300000, p90: 1400000 }, theirs: { median: 1000000, p10: 980000, p90: 1010000 },
          ratio: 1.35, interval: [1.33, 1.37], to_itself: [0.99, 1.01], kept: 18, taken: 20, sent: 1000000, delivered: 1000000,
          ...(i === 0 ? { without_start_up: { ratio: 1.091, interval: [1.08, 1.1] } } : {}) })),
  });
}
