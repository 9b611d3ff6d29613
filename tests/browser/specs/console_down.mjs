// A service has been killed: the console says so, where one looks first.

import assert from "node:assert/strict";
import { CONSOLE, accessible, launch, open } from "./browser.mjs";

const browser = await launch();
const { page, complaints } = await open(browser);
const began = Date.now();
await page.goto(CONSOLE);
await page.getByRole("status").filter({ hasText: "inventory is down" }).waitFor();
const took = Date.now() - began;
await page.getByRole("button", { name: /^inventory .*: down$/ }).waitFor();
assert.match(await page.getByRole("complementary", { name: "Details" }).innerText(), /inventory is down[\s\S]*inventory\.log/);
await accessible(page, "the overview with a service down");
await page.goto(`${CONSOLE}/processes`);
const row = page.getByRole("row").filter({ has: page.getByRole("rowheader", { name: "inventory", exact: true }) });
await row.getByText("down", { exact: true }).waitFor();
assert.deepEqual(complaints, []);
console.log(`down: shown ${took} ms after the page was opened`);
await browser.close();
