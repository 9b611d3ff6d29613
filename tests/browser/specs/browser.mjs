// A real browser, and what every page is held to.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const { PACKAGES, CHROMIUM, EDGE, CONSOLE } = process.env;
const require = createRequire(pathToFileURL(`${PACKAGES}/`));
const { chromium } = require("playwright-core");
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export { EDGE, CONSOLE };

/** Debian's Chromium. As root it cannot make a sandbox of its own. */
export const launch = () =>
  chromium.launch({ executablePath: CHROMIUM, args: process.getuid() === 0 ? ["--no-sandbox"] : [] });

/** A page that notes what it complains of and whom it asks. */
export async function open(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const complaints = [];
  const hosts = new Set();
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => hosts.add(new URL(request.url()).origin));
  return { context, page, complaints, hosts };
}

/**
 * Fails with what axe finds serious. The tool is brought in beside the page's own policy,
 * which lets no script in, by the browser's debugger.
 */
export async function accessible(page, what) {
  const session = await page.context().newCDPSession(page);
  const evaluate = async (expression, awaitPromise = false) => {
    const answer = await session.send("Runtime.evaluate", { expression, awaitPromise, returnByValue: true });
    assert.equal(answer.exceptionDetails, undefined, JSON.stringify(answer.exceptionDetails));
    return answer.result.value;
  };
  await evaluate(`${AXE}; 0`);
  const text = await evaluate("axe.run(document).then((found) => JSON.stringify(found.violations))", true);
  await session.detach();
  const serious = JSON.parse(text).filter(({ impact }) => ["serious", "critical"].includes(impact));
  const shown = serious.map(({ id, help, nodes }) => `${id}: ${help}\n    ${nodes.slice(0, 4).map((node) => `${node.target} ${node.failureSummary.replaceAll("\n", " ")}`).join("\n    ")}`);
  assert.deepEqual(shown, [], `${what} is not accessible:\n  ${shown.join("\n  ")}`);
}

/** Waits until something holds. */
export async function until(what, holds, seconds = 45) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const found = await holds();
    if (found) return found;
    assert.ok(Date.now() < deadline, `expected within ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
