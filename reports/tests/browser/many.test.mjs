// A site of many records: 60 kernels with 600 checks each, as large as it is expected to get.
//
//   node --test many.test.mjs       with the same variables as pages.test.mjs
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { writeManyRecords } from "./records.mjs";

const work = mkdtempSync(join(tmpdir(), "devmap-report-many-"));
const site = join(work, "site");
const specification = JSON.parse(readFileSync(process.env.SPECIFICATION, "utf8"));
const [kernels, checks] = [60, 600];
let browser;
let took;

before(async () => {
  writeManyRecords(join(work, "records"), specification, kernels, checks);
  const started = process.hrtime.bigint();
  execFileSync(process.env.PROGRAM, ["html", "--spec", process.env.SPECIFICATION, "-o", site, join(work, "records")]);
  took = Number(process.hrtime.bigint() - started) / 1e9;
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
});
after(async () => {
  await browser?.close();
  rmSync(work, { recursive: true, force: true });
});

test("the matrix of many records is a small page, and so are those of rules", (t) => {
  t.diagnostic(`the site of ${kernels} records of ${checks} checks was built in ${took.toFixed(2)} s`);
  const bytes = (page) => statSync(join(site, page)).size;
  assert.ok(bytes("index.html") < 3_000_000, `${bytes("index.html")} bytes`);
  for (const rule of specification.rules) {
    const page = `rules/${rule.id}.html`;
    assert.ok(bytes(page) < 100_000, `${page}: ${bytes(page)} bytes`);
  }
});

test("scrolling the matrix of many records lays nothing out, and costs little beside opening it", async (t) => {
  const view = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  t.after(() => view.close());
  const devtools = await view.context().newCDPSession(view);
  await devtools.send("Performance.enable");
  const costs = async () => {
    const { metrics } = await devtools.send("Performance.getMetrics");
    const of = (name) => metrics.find((metric) => metric.name === name).value;
    return { layouts: of("LayoutCount"), seconds: of("LayoutDuration") + of("RecalcStyleDuration") + of("ScriptDuration") };
  };
  const frame = () => view.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));

  await view.goto(pathToFileURL(join(site, "index.html")).href);
  const elements = await view.evaluate(() => document.querySelectorAll("*").length);
  const cells = specification.rules.length * kernels;
  assert.ok(elements < cells * 1.2 + 2000, `${elements} elements for ${cells} cells`);

  const box = view.locator(".scroll");
  await box.scrollIntoViewIfNeeded();
  const place = await box.boundingBox();
  await view.mouse.move(place.x + 300, place.y + 300);
  await frame();
  const opened = await costs();
  for (let step = 1; step <= 40; ++step) {
    await view.mouse.wheel(step % 2 ? 0 : 40, 300);
    await frame();
  }
  await view.waitForFunction(() => document.querySelector(".scroll").scrollTop > 3000);
  const scrolled = await costs();
  assert.ok(opened.layouts > 0 && opened.seconds > 0, JSON.stringify(opened));
  // What the pointer is over changes below it, and a cell that it meets gets its title.
  assert.ok(scrolled.layouts - opened.layouts <= 2, `${scrolled.layouts - opened.layouts} layouts while scrolling`);
  const cost = (scrolled.seconds - opened.seconds) / opened.seconds;
  t.diagnostic(`40 steps cost ${(100 * cost).toFixed(1)} % of what opening the page costs`);
  assert.ok(cost < 0.1, `scrolling costs ${cost} of what opening costs`);
});
