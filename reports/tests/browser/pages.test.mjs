// The pages as a reader has them: opened from disk in Chromium, with and without JavaScript.
//
//   node --test pages.test.mjs      PROGRAM: devmap-report; SPECIFICATION: specification.json; CHROMIUM: the browser;
//                                   SCREENSHOTS: a directory to leave pictures in, if wanted
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { hostile, instructionKernels, writeBenchmarks } from "./benchmarks.mjs";
import { writeRecords } from "./records.mjs";

const work = mkdtempSync(join(tmpdir(), "devmap-report-"));
const site = join(work, "site");
const specification = JSON.parse(readFileSync(process.env.SPECIFICATION, "utf8"));
const rules = specification.rules.length;
const kernels = 14;
let browser;

before(async () => {
  writeRecords(join(work, "records"), specification, kernels);
  writeBenchmarks(join(work, "records"));
  execFileSync(process.env.PROGRAM, ["html", "--spec", process.env.SPECIFICATION, "-o", site, join(work, "records")]);
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
});
after(async () => {
  await browser?.close();
  rmSync(work, { recursive: true, force: true });
});

const address = (page) => {
  const [file, hash] = page.split("#");
  return pathToFileURL(join(site, file)).href + (hash === undefined ? "" : "#" + hash);
};

/** Opens a page; whatever goes wrong in it fails the test, and so does any request that leaves the disk. */
async function open(t, page, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const view = await context.newPage();
  const faults = [];
  view.on("pageerror", (error) => faults.push(String(error)));
  view.on("console", (message) => ["error", "warning"].includes(message.type()) && faults.push(message.text()));
  view.on("request", (request) => /^(file|data):/.test(request.url()) || faults.push("asked for " + request.url()));
  view.on("dialog", (dialog) => { faults.push("a dialog: " + dialog.message()); dialog.dismiss(); });
  await view.goto(address(page));
  t.after(async () => {
    await context.close();
    assert.deepEqual(faults, []);
  });
  return view;
}

async function picture(view, name) {
  if (!process.env.SCREENSHOTS) return;
  mkdirSync(process.env.SCREENSHOTS, { recursive: true });
  await view.screenshot({ path: join(process.env.SCREENSHOTS, name + ".png") });
}

const shownRows = (view) => view.locator(".matrix tbody:not([hidden]) tr[id]:not([hidden])").count();
const sampleRule = specification.rules[3].id;

test("the matrix has every rule and every kernel", async (t) => {
  const view = await open(t, "index.html");
  assert.equal(await shownRows(view), rules);
  assert.equal(await view.locator(".matrix thead th").count(), kernels + 1);
  assert.match(await view.locator("#shown").textContent(), new RegExp(`^${rules} rules$`));
  const cells = await view.locator(".matrix tr[id]").first().locator("td").allTextContents();
  assert.deepEqual(cells.map((cell) => cell.trim()), Array(kernels).fill("C"));
  await picture(view, "matrix");
});

test("a new reader finds where generic broadcast corrupts frames, and why", async (t) => {
  const view = await open(t, "index.html");
  const entry = view.locator(".findings li", { hasText: /broadcast in generic mode/i });
  const box = await entry.boundingBox();
  assert.ok(box.y + box.height < 800, "it is on the first screen");
  assert.equal(await entry.locator("b").textContent(), "6.0.3 to 6.9.3");
  await entry.locator("a").click();
  assert.equal(await view.locator(".summary .fails").innerText(), "On 6.0.3 to 6.9.3");
  const text = await view.locator("main").innerText();
  for (const words of ["Why", "skb_clone()", "6001896f0098", "What a fix has to do"]) assert.ok(text.includes(words), words);
  await picture(view, "finding");
});

test("a reader who searches the matrix for a defect comes to its kernels and its reason", async (t) => {
  const view = await open(t, "index.html");
  const found = (words) => view.fill("#q", words).then(() =>
    view.locator(".matrix tbody:not([hidden]) tr[id]:not([hidden])").evaluateAll((rows) => rows.map((row) => row.id)));
  const rule = "bcast.generic-copies-without-a-program-are-as-sent";
  for (const words of ["broadcast generic corrupt", "corrupts frames", "bpf_redirect_map broadcast generic"]) {
    const rows = await found(words);
    assert.ok(rows.includes(rule) && rows.length < 10, `${words}: ${rows}`);
    const place = await view.locator(`[id="${rule}"]`).boundingBox();
    assert.ok(place.y >= 0 && place.y + place.height < 800, "it is in sight");
  }
  await picture(view, "search");
  await view.locator(`[id="${rule}"] .why`).click();
  await view.waitForURL(/findings\/generic-broadcast/);
  for (const words of ["On 6.0.3 to 6.9.3", "the copies are clones of one socket buffer and share its data"]) {
    const place = await view.getByText(words).boundingBox();
    assert.ok(place.y + place.height < 800, `"${words}" is on the first screen`);
  }
  const other = await open(t, `rules/${rule}.html`);
  await other.locator(".finding a").click();
  await other.waitForURL(view.url());
});

test("a name that is HTML is text", async (t) => {
  const view = await open(t, "index.html");
  assert.equal(await view.locator("b[onmouseover]").count(), 0);
  assert.equal(await view.locator(".matrix thead a").nth(1).getAttribute("title"), "<b onmouseover=alert(1)>\"hostile\"</b>");
});

test("words, chapter, verdict and difference filter the rows, and the address keeps them", async (t) => {
  const view = await open(t, "index.html");
  const chapter = specification.rules[3].id.split(".")[0];
  const inChapter = specification.rules.filter((rule) => rule.id.startsWith(chapter + ".")).length;
  await view.selectOption("#chapter", chapter);
  assert.equal(await shownRows(view), inChapter);
  await view.selectOption("#chapter", "");

  await view.locator("#differs").check();
  const differing = await shownRows(view);
  assert.ok(differing > 0 && differing < rules / 5, String(differing));
  await view.locator("#differs").uncheck();

  await view.locator(".legend button", { hasText: "known" }).click();
  const known = await shownRows(view);
  assert.ok(known > 0 && known < rules / 20);
  for (const row of await view.locator(".matrix tbody:not([hidden]) tr[id]:not([hidden])").all()) {
    assert.match(await row.textContent(), /K/);
  }
  await view.locator(".legend button", { hasText: "known" }).click();

  await view.fill("#q", "BPF_MAP_FREEZE no-such-word");
  assert.equal(await shownRows(view), 0);
  assert.ok(await view.locator("#nothing").isVisible());
  await view.locator("#reset").click();
  assert.equal(await shownRows(view), rules);

  await view.fill("#q", sampleRule);
  assert.ok(await shownRows(view) >= 1);
  assert.match(view.url(), /#\?q=/);
  const again = await open(t, "index.html#" + view.url().split("#")[1]);
  assert.equal(await again.inputValue("#q"), sampleRule);
  assert.equal(await shownRows(again), await shownRows(view));
});

test("a permalink leads to its row, whatever was filtered", async (t) => {
  const last = specification.rules.at(-1).id;
  const view = await open(t, "index.html#" + last);
  assert.ok(await view.locator(`[id="${last}"]`).evaluate((row) => {
    const place = row.getBoundingClientRect();
    return place.top >= 0 && place.bottom <= innerHeight && row.classList.contains("at");
  }));
});

test("keys find, go from rule to rule and open one", async (t) => {
  const view = await open(t, "index.html");
  await view.keyboard.press("/");
  assert.equal(await view.evaluate(() => document.activeElement.id), "q");
  await view.keyboard.type("einval");
  assert.ok(await shownRows(view) < rules);
  await view.keyboard.press("Escape");
  assert.equal(await shownRows(view), rules);
  await view.keyboard.press("j");
  await view.keyboard.press("j");
  await view.keyboard.press("k");
  assert.equal(await view.locator("tr.at").getAttribute("id"), specification.rules[0].id);
  await view.keyboard.press("Enter");
  await view.waitForURL(/rules\//);
  assert.ok(view.url().endsWith(`rules/${specification.rules[0].id}.html`));
});

test("everything that can be used can be reached by the tab key", async (t) => {
  const view = await open(t, "index.html");
  const reached = new Set();
  for (let i = 0; i < 40; ++i) {
    await view.keyboard.press("Tab");
    reached.add(await view.evaluate(() => document.activeElement.id || document.activeElement.className || document.activeElement.textContent));
  }
  for (const id of ["skip", "theme", "q", "chapter", "differs", "scroll"]) assert.ok(reached.has(id), id);
});

test("heads stay in sight while the matrix scrolls", async (t) => {
  const view = await open(t, "index.html", { viewport: { width: 800, height: 600 } });
  await view.locator(".scroll").evaluate((box) => box.scrollTo(400, 4000));
  const places = await view.evaluate(() => {
    const box = document.querySelector(".scroll").getBoundingClientRect();
    const head = document.querySelector(".matrix thead th:last-child").getBoundingClientRect();
    const side = document.querySelector(".matrix tr[id]:nth-child(9) th").getBoundingClientRect();
    return { head: Math.round(head.top - box.top), side: Math.round(side.left - box.left) };
  });
  assert.ok(Math.abs(places.head) <= 2, JSON.stringify(places));
  assert.ok(Math.abs(places.side) <= 2, JSON.stringify(places));
});

test("a cell says what it is and leads to its kernel on the page of its rule", async (t) => {
  const view = await open(t, "index.html");
  const cell = view.locator(`[id="${sampleRule}"] td`).nth(2);
  await cell.hover();
  assert.match(await cell.getAttribute("title"), /^6\.2\.3.*: [A-Z] \w+: /);
  await cell.click();
  await view.waitForURL(/#k3$/);
  assert.ok(await view.locator("#k3").isVisible());
  assert.ok(await view.locator("h1").textContent());
  await picture(view, "rule");
});

test("the page of a rule has what a reader asks for", async (t) => {
  const view = await open(t, `rules/${sampleRule}.html`);
  const text = await view.locator("main").innerText();
  for (const words of [specification.rules[3].states, sampleRule, specification.rules[3].source[0], "a note about the set-up",
    `devmap-conformance --filter '${sampleRule}/*'`]) assert.ok(text.includes(words), words);
  assert.equal(await view.locator(".verdicts tbody tr").count(), kernels);
});

test("changes between two kernels of the reader's choice", async (t) => {
  const view = await open(t, "changes.html");
  assert.equal(await view.locator("#before option").count(), kernels);
  await view.selectOption("#before", "0");
  await view.selectOption("#after", "5");
  const rows = await view.locator("#result tbody tr").count();
  assert.ok(rows > 10);
  assert.equal(await view.locator("#count").textContent(), `${rows} rules differ`);
  await view.selectOption("#after", "0");
  assert.equal(await view.locator("#result tbody tr").count(), 0);
  await picture(view, "changes");
});

test("documentation versus kernel, and kernels", async (t) => {
  const documented = specification.rules.flatMap((rule) => rule.documentation);
  const wrong = documented.filter((said) => !said.agrees).length;
  const view = await open(t, "documentation.html");
  const shown = await view.locator(".versus tbody tr").count();
  assert.ok(shown >= wrong && shown <= documented.length, `${shown} of ${documented.length}`);
  assert.ok((await view.locator(".intro").innerText()).includes(`${documented.length - shown} statements are borne out`));
  await picture(view, "documentation");
  const other = await open(t, "kernels.html#run3");
  assert.equal(await other.locator(".counts").first().locator("tbody tr").count(), kernels);
  assert.ok(await other.locator("#run3 .facts").isVisible(), "a link unfolds what it leads to");
  await picture(other, "kernels");
});

test("benchmarks are plotted and listed, each layer by itself, and what has no figure says why", async (t) => {
  const view = await open(t, "benchmarks.html");
  for (const layer of ["instructions", "time", "peer"]) {
    assert.ok(await view.locator(`#${layer} .plot:visible`).count() > 0, layer);
    assert.ok(await view.locator(`#${layer} table.figures tbody tr`).count() > 0, layer);
  }
  const heads = await view.locator("#instructions table.figures thead th").allTextContents();
  assert.deepEqual(heads, ["Instructions", "per", ...instructionKernels]);
  assert.match(await view.locator("#time .none").first().textContent(), /^unreliable: its ratio to itself/);
  assert.match(await view.locator("#peer .none").textContent(), /^unreliable: ours against itself/);
  const alone = await view.locator("#peer tbody tr td:nth-of-type(2)").allTextContents();
  assert.deepEqual(alone.slice(0, 2), ["1.091 [1.080, 1.100]", ""], "an older record has no ratio of frames alone");
  await view.locator("#instructions details.more summary").click();
  assert.ok((await view.locator("#instructions details.more li").textContent()).includes(hostile));
  await picture(view, "benchmarks");
});

test("everything can be read without JavaScript", async (t) => {
  const view = await open(t, "index.html", { javaScriptEnabled: false });
  assert.equal(await shownRows(view), rules);
  assert.ok(await view.locator(".legend").isVisible());
  assert.ok(!await view.locator("#asks").isVisible(), "what would not work is not shown");
  await view.locator(`[id="${sampleRule}"] a`).first().click();
  assert.ok(await view.locator(".evidence ol").first().isVisible());
  const changes = await open(t, "changes.html", { javaScriptEnabled: false });
  assert.ok(await changes.locator(".step tbody tr").count() > 10);
});

test("dark and light: as the system says, and as the reader chooses", async (t) => {
  const ground = (view) => view.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await open(t, "index.html", { colorScheme: "light" });
  const dark = await open(t, "index.html", { colorScheme: "dark" });
  const [onLight, onDark] = [await ground(light), await ground(dark)];
  assert.notEqual(onLight, onDark);
  await picture(dark, "matrix-dark");
  await light.locator("#theme").click();
  assert.equal(await ground(light), onDark);
  await light.locator("#theme").click();
  assert.equal(await ground(light), onLight);
});

test("letters can be read on their grounds, dark and light", async (t) => {
  for (const colorScheme of ["light", "dark"]) {
    const view = await open(t, "index.html", { colorScheme });
    const poor = await view.evaluate(() => {
      const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
      const light = (color, under) => {
        canvas.fillStyle = under;
        canvas.fillRect(0, 0, 1, 1);
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const page = getComputedStyle(document.querySelector(".scroll")).backgroundColor;
      return [..."cbakudsxte"].map((letter) => {
        const cell = document.querySelector(`.meanings b.${letter}`);
        const style = getComputedStyle(cell);
        const [a, b] = [light(style.color, page), light(style.backgroundColor, page)];
        return [letter, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
      }).filter(([letter, contrast]) => contrast < (letter === "u" ? 3 : 4.5));
    });
    assert.deepEqual(poor, [], colorScheme);
  }
});

test("a narrow screen shows rules and verdicts, and scrolls in the matrix alone", async (t) => {
  for (const page of ["index.html", `rules/${sampleRule}.html`, "changes.html", "documentation.html", "kernels.html", "benchmarks.html"]) {
    const view = await open(t, page, { viewport: { width: 360, height: 740 } });
    const wider = await view.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wider <= 0, `${page} is ${wider} pixels wider than the screen`);
    await picture(view, "narrow-" + page.replace(/\W/g, "-"));
  }
  const view = await open(t, "index.html", { viewport: { width: 360, height: 740 } });
  assert.ok(await view.locator(".matrix tr[id] td").nth(1).evaluate((cell) => cell.getBoundingClientRect().right <= innerWidth));
});
