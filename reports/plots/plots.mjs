// The plots of the benchmark page. Its tables have the same figures and can be read without them.
import * as Plot from "@observablehq/plot";

const data = JSON.parse(document.getElementById("benchmarks").textContent);
const axisNames = { entries: "entries of the map", keys: "keys in one bucket", devices: "destinations", slots: "slots of the map", bytes: "bytes a frame", batch: "frames a batch" };
const width = 430;
const series = { legend: true, scheme: "Observable10", label: null };
const style = { fontSize: "12px", overflow: "visible" };

const distinct = (values) => [...new Set(values)];
const grouped = (rows, key) => Map.groupBy ? Map.groupBy(rows, key) : rows.reduce((map, row) => map.set(key(row), [...(map.get(key(row)) ?? []), row]), new Map());

/** Figures that differ by more than a screen can show beside each other stand on a logarithmic scale. */
function valueScale(values, label) {
  const wide = Math.min(...values) > 0 && Math.max(...values) / Math.min(...values) > 50;
  return { label, grid: true, nice: true, ...(wide ? { type: "log", ticks: 5, tickFormat: "~s" } : { zero: true, tickFormat: "~s" }) };
}

/** The axis of the sizes that there are. A logarithmic scale's own leaves most of their names out. */
function sizeAxis(rows) {
  const sizes = distinct(rows.map((row) => row.x)).sort((a, b) => a - b);
  const name = (x) => (sizes.length > 7 && sizes.indexOf(x) % 2 ? "" : x >= 1e6 ? `${Math.round(x / 1e5) / 10}M` : String(x));
  return Plot.axisX(sizes, { text: name, label: axisNames[rows[0].axis] ?? rows[0].axis });
}

function figure(place, title, options) {
  const made = document.createElement("figure");
  made.className = "plot";
  const caption = document.createElement("figcaption");
  caption.textContent = title;
  const drawn = Plot.plot({ width, height: 240, marginLeft: 56, marginBottom: 42, style, ...options, ariaLabel: title });
  drawn.setAttribute("role", "group");
  made.append(caption, drawn);
  place.append(made);
}

/** Against the size of what is operated on, where there is more than one size. */
function scaling(place, rows, unit) {
  for (const [title, group] of grouped(rows.filter((row) => row.axis), (row) => `${row.operation}, by ${axisNames[row.axis] ?? row.axis}`)) {
    const drawn = group.filter((row) => row.median !== null);
    if (distinct(drawn.map((row) => row.x)).length < 2) continue;
    const line = { x: "x", y: "median", z: "series", stroke: "series" };
    const spread = drawn.some((row) => row.p10 !== undefined);
    figure(place, title, {
      x: { type: "log" },
      y: valueScale(drawn.flatMap((row) => [row.median, row.p10 ?? row.median, row.p90 ?? row.median]), `${unit} per ${drawn[0].per}`),
      color: series,
      marks: [
        sizeAxis(drawn),
        spread ? Plot.areaY(drawn, { x: "x", y1: "p10", y2: "p90", z: "series", fill: "series", fillOpacity: 0.18 }) : null,
        Plot.lineY(drawn, { ...line, sort: "x" }),
        Plot.dot(drawn, { ...line, fill: "series", r: 2.5, tip: true }),
      ],
    });
  }
}

function instructions() {
  const place = document.getElementById("plots-instructions");
  if (!place || !data.instructions) return;
  const { kernels, figures } = data.instructions;
  const of = (kernel) => figures.map((row) => ({ ...row, median: row.values[kernel] }));

  // By kernel, each operation at one size: 64 where it was measured.
  const byKernel = place.querySelector("[data-plots=kernels]");
  for (const [operation, group] of grouped(figures, (row) => row.operation)) {
    const sizes = distinct(group.map((row) => row.x));
    const size = sizes.includes(64) ? 64 : sizes[Math.floor((sizes.length - 1) / 2)];
    const rows = group.filter((row) => row.x === size).flatMap((row) => row.values.map((value, kernel) => ({ series: row.series, kernel: kernels[kernel], median: value })));
    const drawn = rows.filter((row) => row.median !== null);
    if (kernels.length < 2 || !drawn.length) continue;
    const axis = group.find((row) => row.x === size).axis;
    figure(byKernel, operation + (axis ? `, ${size} ${axisNames[axis] ?? axis}` : ""), {
      marginBottom: 78,
      x: { type: "point", domain: kernels, label: null, tickRotate: -60 },
      y: { ...valueScale(drawn.map((row) => row.median), `instructions per ${group[0].per}`) },
      color: series,
      marks: [
        Plot.lineY(rows, { x: "kernel", y: "median", z: "series", stroke: "series" }),
        Plot.dot(drawn, { x: "kernel", y: "median", z: "series", stroke: "series", fill: "series", r: 2.5, tip: true }),
      ],
    });
  }
  byKernel.hidden = !byKernel.querySelector("figure");

  const bySize = place.querySelector("[data-plots=sizes]");
  const drawn = bySize.querySelector("[data-drawn]");
  const choice = bySize.querySelector("select");
  kernels.forEach((kernel, i) => choice.add(new Option(kernel, String(i))));
  choice.value = String(kernels.length - 1);
  const show = () => {
    drawn.replaceChildren();
    scaling(drawn, of(Number(choice.value)), "instructions");
  };
  choice.addEventListener("input", show);
  show();
  bySize.hidden = false;
  place.hidden = false;
}

function times() {
  for (const [number, run] of (data.time ?? []).entries()) {
    const place = document.getElementById(`plots-time-${number}`);
    scaling(place, run.figures, "ns");
    for (const [operation, group] of grouped(run.figures.filter((row) => !row.axis), (row) => row.operation.split("/")[0])) {
      const drawn = group.filter((row) => row.median !== null);
      const name = (row) => row.name;
      if (!drawn.length) continue;
      const marginLeft = 20 + 6.6 * Math.max(...group.map((row) => row.name.length));
      figure(place, `${operation}, each`, {
        height: 70 + 24 * group.length,
        width: Math.max(width, marginLeft + 240),
        marginLeft,
        y: { type: "point", domain: group.map(name), label: null },
        x: valueScale(drawn.flatMap((row) => [row.median, row.p10, row.p90]), "ns"),
        marks: [
          Plot.ruleY(drawn, { y: name, x1: "p10", x2: "p90", strokeWidth: 5, strokeOpacity: 0.25, strokeLinecap: "round" }),
          Plot.dot(drawn, { y: name, x: "median", fill: "currentColor", r: 3, tip: true }),
          Plot.text(group.filter((row) => row.median === null), { y: name, frameAnchor: "left", dx: 6, text: "status", fontStyle: "italic" }),
        ],
      });
    }
    place.hidden = !place.querySelector("figure");
  }
}

function peers() {
  for (const [number, run] of (data.peer ?? []).entries()) {
    const place = document.getElementById(`plots-peer-${number}`);
    const drawn = run.comparisons.filter((row) => row.ratio !== null);
    if (!drawn.length) continue;
    figure(place, "How many times as many packets as xdp-tools, with the 95 % interval", {
      height: 70 + 28 * run.comparisons.length,
      marginLeft: 130,
      y: { type: "point", domain: run.comparisons.map((row) => row.path), label: null },
      x: { label: "ratio", grid: true, nice: true, domain: [Math.min(0.9, ...drawn.map((row) => row.low)), Math.max(1.1, ...drawn.map((row) => row.high))] },
      marks: [
        Plot.ruleX([1], { strokeDasharray: "3 3" }),
        Plot.ruleY(drawn, { y: "path", x1: "low", x2: "high", strokeWidth: 5, strokeOpacity: 0.25, strokeLinecap: "round" }),
        Plot.dot(drawn, { y: "path", x: "ratio", fill: "currentColor", r: 3, tip: true }),
        Plot.text(run.comparisons.filter((row) => row.ratio === null), { y: "path", frameAnchor: "left", dx: 6, text: () => "unreliable", fontStyle: "italic" }),
      ],
    });
    place.hidden = false;
  }
}

instructions();
times();
peers();
