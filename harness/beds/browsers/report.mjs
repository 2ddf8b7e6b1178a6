// Opens pages of a report in Chromium and looks whether they keep their promises: nothing runs, nothing is asked for, WCAG
// holds, nothing scrolls sideways, and filters, folds and colours work without scripts. With --print, writes PDFs.
//
//   node report.mjs --chromium FILE [--hostile] [--print FOLDER] [--shots FOLDER] PAGE.html …
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

import { chromium } from "playwright-core";

// Generous: a loaded machine is slow, not wrong.
const LIMIT_MS = 60_000;
// The narrowest width that WCAG 2.2 (1.4.10) wants without sideways scrolling, in CSS pixels.
const NARROW = 320;
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

const { values: options, positionals: pages } = parseArgs({
  allowPositionals: true,
  options: {
    chromium: { type: "string", default: "/usr/bin/chromium" },
    hostile: { type: "boolean", default: false },
    print: { type: "string" },
    shots: { type: "string" },
  },
});
assert(pages.length > 0, "pages to open are missing");
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const browser = await chromium.launch({ executablePath: options.chromium, headless: true });
try {
  for (const page of pages) {
    await quiet(page);
    if (options.hostile) continue;
    await accessible(page);
    await withoutScripts(page);
    await withScripts(page);
    if (options.print) await print(page, options.print);
    if (options.shots) await shots(page, options.shots);
  }
} finally {
  await browser.close();
}
console.log(`${pages.length} pages keep their promises`);

// A page at its address, with everything noted that it should not do.
async function open(path, { bypass = false, ...context } = {}) {
  const made = await browser.newContext({ viewport: { width: 1000, height: 800 }, bypassCSP: bypass, ...context });
  made.setDefaultTimeout(LIMIT_MS);
  const page = await made.newPage();
  const address = pathToFileURL(resolve(path)).href;
  const deeds = [];
  page.on("dialog", (dialog) => {
    deeds.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("console", (message) => deeds.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => deeds.push(`error: ${error}`));
  page.on("popup", () => deeds.push("a window"));
  page.on("download", () => deeds.push("a download"));
  page.on("websocket", (socket) => deeds.push(`socket: ${socket.url()}`));
  page.on("request", (request) => request.url() === address || deeds.push(`request: ${request.url()}`));
  await page.goto(address, { waitUntil: "load" });
  return { page, deeds, close: () => made.close() };
}

// Nothing runs that is not ours, whatever a reader touches, and nothing is asked for.
async function quiet(path) {
  const { page, deeds, close } = await open(path);
  await page.evaluate(() => {
    for (const part of document.querySelectorAll("details")) part.open = true;
    const kinds = ["mouseover", "focus", "click", "error", "load", "toggle", "animationstart"];
    for (const element of document.body.querySelectorAll("*:not(a, button, summary, input, label)")) {
      for (const kind of kinds) element.dispatchEvent(new Event(kind));
    }
  });
  const seen = await page.evaluate(() => ({
    pwned: "__pwned" in window,
    // Counted from the outside of every text: what the page's author did not write.
    strange: [...document.querySelectorAll("img, iframe, object, embed, form, link, base, audio, video, marquee, math, foreignObject")]
      .map((element) => element.outerHTML.slice(0, 200)),
    handlers: [...document.querySelectorAll("*")].flatMap((element) =>
      [...element.attributes].filter(({ name, value }) => name.startsWith("on") || name === "style" || /^\s*(javascript|data|vbscript):/i.test(value))
        .map(({ name, value }) => `${element.tagName} ${name}=${value.slice(0, 100)}`)),
    links: [...document.querySelectorAll("a")].map((a) => a.getAttribute("href"))
      .filter((href) => !/^#[\w-]+$|^https:\/\/www\.rfc-editor\.org\/rfc\/rfc\d+$/.test(href)),
    scripts: document.scripts.length,
    json: JSON.parse(document.getElementById("report").textContent).format,
  }));
  assert.deepEqual(seen, { pwned: false, strange: [], handlers: [], links: [], scripts: 2, json: "ringfence.report/v1" }, path);
  assert.deepEqual(deeds, [], `${path}: nothing but itself`);
  await close();
}

async function accessible(path) {
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [1000, NARROW]) {
      // Only the checker needs to get past the page's policy.
      const { page, close } = await open(path, { bypass: true, colorScheme, viewport: { width, height: 800 } });
      await page.evaluate(() => document.querySelectorAll("details").forEach((part) => (part.open = true)));
      await page.evaluate(axe);
      const { violations } = await page.evaluate((tags) => globalThis.axe.run(document, { runOnly: tags }), RULES);
      const said = violations.map(({ id, nodes }) => `${id}: ${nodes.length}, as ${nodes[0].html.slice(0, 300)} ${nodes[0].failureSummary}`);
      assert.deepEqual(said, [], `${path}, ${colorScheme}, ${width} px wide`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert(wide <= width, `${path}: ${wide} px wide on ${width}`);
      await close();
    }
  }
}

async function withoutScripts(path) {
  const { page, close } = await open(path, { javaScriptEnabled: false });
  const shown = (selector) => page.locator(selector).filter({ visible: true }).count();
  const background = () => page.locator("html").evaluate((element) => getComputedStyle(element).backgroundColor);
  assert.equal(await shown(".scripted"), 0, `${path}: what needs scripts is hidden`);
  for (const kind of ["critical", "high", "medium", "low", "waived", "open", "skipped", "left", "pass"]) {
    const box = page.locator(`#show-${kind}`);
    if ((await box.count()) === 0) continue;
    const before = await shown(`.result.${kind}`);
    assert(before > 0, `${path}: the filter names what is there: ${kind}`);
    await box.uncheck();
    assert.equal(await shown(`.result.${kind}`), 0, `${path}: ${kind} is filtered`);
    await box.check();
    assert.equal(await shown(`.result.${kind}`), before, `${path}: ${kind} is back`);
  }
  const folded = page.locator("details > summary").first();
  const unfolded = () => folded.evaluate((summary) => summary.parentElement.open);
  const before = await unfolded();
  await folded.click();
  assert.notEqual(await unfolded(), before, `${path}: folds and unfolds`);
  await page.locator("#theme-dark").check();
  const dark = await background();
  await page.locator("#theme-light").check();
  assert.notEqual(dark, await background(), `${path}: colours change`);
  await close();
}

async function withScripts(path) {
  const { page, deeds, close } = await open(path);
  const shown = () => page.locator(".result").filter({ visible: true }).count();
  const all = await shown();
  const id = await page.locator(".result code").first().innerText();
  await page.locator("#search").fill(id);
  assert((await shown()) < all && (await shown()) > 0, `${path}: the search finds ${id} and hides others`);
  await page.locator("#search").fill("");
  assert.equal(await shown(), all);
  assert.deepEqual(deeds, [], path);
  await close();
}

// On paper: unfolded and unfiltered, whatever the reader did before, with and without scripts.
async function print(path, folder) {
  for (const [javaScriptEnabled, format] of [[true, "A4"], [false, "Letter"]]) {
    const { page, close } = await open(path, { javaScriptEnabled, colorScheme: "dark" });
    for (const box of await page.locator(".filter input").all()) await box.uncheck();
    const name = `${basename(path, ".html")}-${format}.pdf`;
    await page.pdf({ path: join(folder, name), format, preferCSSPageSize: false });
    await close();
  }
}

async function shots(path, folder) {
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [1000, NARROW]) {
      const { page, close } = await open(path, { colorScheme, viewport: { width, height: 800 } });
      await page.screenshot({ path: join(folder, `${basename(path, ".html")}-${colorScheme}-${width}.png`), fullPage: true });
      await close();
    }
  }
}
