// Takes the pictures of README.md anew, of a site that `scripts/publish --site SITE` made.
//
//   node first-screen.mjs SITE      writes reports/first-screen.png and reports/first-screen-dark.png; CHROMIUM: the browser
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const site = process.argv[2];
if (!site) {
  console.error("first-screen.mjs: which SITE?");
  process.exit(64);
}
const reports = fileURLToPath(new URL("../../", import.meta.url));
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--hide-scrollbars"] });
for (const [colorScheme, file] of [["light", "first-screen.png"], ["dark", "first-screen-dark.png"]]) {
  const view = await browser.newPage({ colorScheme, viewport: { width: 1440, height: 1100 } });
  await view.goto(pathToFileURL(join(resolve(site), "index.html")).href + "#?q=finding&verdict=AK");
  const edge = async (part, side) => view.locator(part).evaluate((element, at) => element.getBoundingClientRect()[at], side);
  const top = await edge("#matrix-title", "top") - 8;
  const bottom = await edge('[id="bcast.generic-entry-programs-change-their-own-copies"]', "bottom");
  await view.screenshot({ path: join(reports, file), clip: { x: 0, y: top, width: 1440, height: bottom - top } });
}
await browser.close();
