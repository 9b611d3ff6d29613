// The console under real traffic.

import assert from "node:assert/strict";
import { CONSOLE, accessible, launch, open, until } from "./browser.mjs";

const browser = await launch();
const { page, complaints, hosts } = await open(browser);
const edge = (from, to) => page.getByRole("button", { name: new RegExp(`^${from} to ${to}: [1-9]|^${from} to ${to}: 0\\.[1-9]`) });

await page.goto(CONSOLE);
for (const [from, to] of [["people", "edge"], ["edge", "orders"], ["orders", "inventory"], ["orders", "payments"]]) {
  await edge(from, to).waitFor({ state: "attached", timeout: 60_000 });
}
for (const [from, to] of [["orders", "rabbitmq"], ["rabbitmq", "notifications"], ["cart", "redis"], ["orders", "postgres"]]) {
  await edge(from, to).waitFor({ state: "attached", timeout: 60_000 });
}
await accessible(page, "the overview");
const crossed = await page.locator(".node").evaluateAll((nodes) => {
  const box = (element) => element.getBoundingClientRect();
  const apart = (a, b) => a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
  const rects = nodes.map((node) => [node.getAttribute("aria-label"), box(node.querySelector("rect"))]);
  const over = rects.flatMap(([name, a], at) => rects.slice(at + 1).filter(([, b]) => !apart(a, b)).map(([other]) => `${name} and ${other}`));
  const wide = nodes.filter((node) => [...node.querySelectorAll("text")].some((text) => box(text).right > box(node.querySelector("rect")).right));
  return [...over, ...wide.map((node) => `${node.getAttribute("aria-label")} does not fit`)];
});
assert.deepEqual(crossed, [], "nodes lie apart, and hold what they say");

// A node and an edge say more, by keyboard, and the address says which.
await page.getByRole("button", { name: /^orders .*: up$/ }).focus();
await page.keyboard.press("Enter");
const side = page.getByRole("complementary", { name: "Details" });
await side.getByText("PlaceOrder").waitFor();
assert.match(await side.innerText(), /orders\.log/);
assert.equal(new URL(page.url()).searchParams.get("at"), "orders");
await accessible(page, "a node's details");
await page.reload();
await side.getByText("PlaceOrder").waitFor();
await page.getByRole("button", { name: /^orders to payments: / }).first().focus();
await page.keyboard.press("Space");
await side.getByText("Authorize").waitFor();
// Traces tell of the call at once, Prometheus of the breaker when it has asked.
await side.getByText("breaker", { exact: true }).waitFor();

// A checkout from the edge to the mail.
await page.goto(`${CONSOLE}/traces?name=PlaceOrder`);
const latest = page.locator(".traces a");
await latest.first().waitFor();
await accessible(page, "the list of traces");
const whole = await until("a checkout that reached the mail", async () => {
  const answer = await (await fetch(`${CONSOLE}/api/traces?name=PlaceOrder`)).json();
  for (const { trace, facts, services } of answer.traces) {
    if (!facts || !services.includes("edge") || !services.includes("notifications")) continue;
    const drawn = await (await fetch(`${CONSOLE}/api/traces/${trace}`)).json();
    const names = drawn.rows.map(({ name }) => name);
    if (["Reserve", "Authorize"].every((name) => names.some((known) => known.endsWith(`/${name}`))) && drawn.rows.some(({ kind }) => kind === "consumer")) return drawn;
  }
});
await page.goto(`${CONSOLE}/traces/${whole.trace}`);
await page.locator(".fall li").first().waitFor();
const rows = await page.locator(".fall li").count();
assert.ok(rows >= 10, `${rows} rows`);
const kinds = new Set(whole.rows.map(({ kind }) => kind));
for (const kind of ["server", "client", "producer", "consumer"]) assert.ok(kinds.has(kind), `no ${kind} in ${[...kinds]}`);
assert.ok(whole.rows.some(({ attributes }) => attributes.some(([name]) => name.startsWith("db."))), "no SQL");
await accessible(page, "the waterfall");
await page.locator(".fall button").nth(2).click();
const chosen = page.getByRole("complementary", { name: "The chosen span" });
await chosen.waitFor();
assert.match(page.url(), /#span=[0-9a-f]{16}$/);
await page.reload();
await chosen.waitFor();
await accessible(page, "a span");

// Every other view.
for (const [view, heading, text] of [
  ["orders", "Orders", "reserve"],
  ["queues", "Queues", "orders.v1."],
  ["promises", "SLOs", "PlaceOrder"],
  ["processes", "Processes", "inventory.log"],
]) {
  await page.goto(`${CONSOLE}/${view}`);
  await page.getByRole("heading", { level: 1, name: heading }).waitFor();
  await page.getByText(text).first().waitFor({ timeout: 45_000 });
  await accessible(page, view);
}
await page.goto(`${CONSOLE}/runbooks/facts`);
await page.getByRole("heading", { level: 1 }).waitFor();
await accessible(page, "a runbook");

// What is shown is not made anew while somebody reads it.
await page.goto(`${CONSOLE}/processes`);
const cell = page.getByRole("rowheader", { name: "orders", exact: true });
await cell.waitFor();
const before = await cell.elementHandle();
const told = await page.evaluate(() => performance.getEntriesByType("resource").length);
await page.waitForFunction(() => new Promise((resolve) => setTimeout(() => resolve(true), 4_500)));
assert.ok(await before.evaluate((node) => node.isConnected), "the row was replaced");
assert.ok(told >= 10);

// Dark, and on a phone.
const phone = await open(browser, { viewport: { width: 390, height: 844 }, colorScheme: "dark" });
for (const view of ["", "traces", "orders", "queues", "promises", "processes"]) {
  await phone.page.goto(`${CONSOLE}/${view}`);
  await phone.page.locator("#view h1").first().waitFor();
  const wide = await phone.page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= 390, `/${view} is ${wide} wide on a phone`);
  await accessible(phone.page, `/${view} on a phone, dark`);
}
assert.deepEqual([...complaints, ...phone.complaints], []);
assert.deepEqual([...new Set([...hosts, ...phone.hosts])], [CONSOLE]);

const bytes = await page.evaluate(() => performance.getEntriesByType("resource").filter((one) => one.name.includes("/page/")).reduce((sum, one) => sum + one.encodedBodySize, 0));
console.log(`the console: ${rows} spans in a checkout, ${(bytes / 1024).toFixed(0)} KiB of page`);
await browser.close();
