// The pictures of the documentation: `make screenshots`.

import { statSync } from "node:fs";
import { createHash } from "node:crypto";
import { CONSOLE, EDGE, launch, open, until } from "./browser.mjs";

const { OUT, CLIENT, PASSWORD } = process.env;
const browser = await launch();

async function shoot(page, name, options = {}) {
  const path = `${OUT}/${name}.png`;
  // Where the checkout lies is nobody's business.
  await page.evaluate(() => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) texts.currentNode.data = texts.currentNode.data.replace(/\/\S*\/\.stoa\/[a-z-]+/, "~/stoa/.stoa");
  });
  await page.screenshot({ path, ...options });
  console.log(`${path} ${(statSync(path).size / 1024).toFixed(0)} KiB`);
}

const { page } = await open(browser, { viewport: { width: 1280, height: 800 } });
await page.goto(CONSOLE);
// Rates and lines need a while.
await page.getByRole("button", { name: /^orders to payments: [1-9]/ }).waitFor({ state: "attached", timeout: 90_000 });
await page.waitForTimeout(Number(process.env.SETTLE ?? 60_000));
await shoot(page, "operations/images/console");

const whole = await until("a checkout that reached the mail", async () => {
  const answer = await (await fetch(`${CONSOLE}/api/traces?name=PlaceOrder`)).json();
  for (const { trace, facts, services, errors } of answer.traces) {
    if (!facts || errors || !services.includes("edge")) continue;
    const drawn = await (await fetch(`${CONSOLE}/api/traces/${trace}`)).json();
    const names = drawn.rows.map(({ name }) => name);
    if (names.some((name) => name.endsWith("/Authorize")) && names.includes("send e-mail")) return drawn;
  }
});
// All of it, smaller.
const small = await open(browser, { viewport: { width: 1240, height: 800 }, deviceScaleFactor: 0.68 });
await small.page.goto(`${CONSOLE}/traces/${whole.trace}`);
await small.page.locator(".fall li").first().waitFor();
await small.page.locator(".pulse:not(.is-wait)").waitFor();
await shoot(small.page, "operations/images/checkout-trace", { fullPage: true });
for (const view of ["traces", "orders", "queues", "promises", "processes"]) {
  await page.setViewportSize({ width: 1280, height: 760 });
  await page.goto(`${CONSOLE}/${view}${view === "traces" ? "?name=PlaceOrder" : ""}`);
  await page.locator("#view h1").first().waitFor();
  await page.locator(".pulse:not(.is-wait)").waitFor();
  await page.waitForTimeout(view === "traces" ? 12_000 : 3_000);
  await shoot(page, `operations/images/${view}`);
}
const dark = await open(browser, { viewport: { width: 1280, height: 800 }, colorScheme: "dark" });
await dark.page.goto(`${CONSOLE}/?at=orders`);
await dark.page.getByRole("complementary", { name: "Details" }).getByText("PlaceOrder").waitFor();
await shoot(dark.page, "operations/images/console-dark");

const people = await open(browser, { viewport: { width: 760, height: 640 } });
const challenge = createHash("sha256").update("x".repeat(43)).digest("base64url");
await people.page.goto(`${EDGE}/oauth2/authorize?${new URLSearchParams({
  client_id: CLIENT,
  redirect_uri: "http://localhost:3999/callback",
  response_type: "code",
  scope: "openid profile email offline_access",
  state: "s",
  code_challenge: challenge,
  code_challenge_method: "S256",
})}`);
await people.page.getByLabel("E-mail address").fill("ada@example.com");
await shoot(people.page, "security/images/login");
const ada = { email: "ada@example.com", password: PASSWORD, display_name: "Ada" };
await fetch(`${EDGE}/v1/auth/register`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(ada) });
await people.page.getByLabel("Password").fill(PASSWORD);
await people.page.getByRole("button", { name: "Sign in" }).click();
await people.page.getByRole("heading", { name: "asks for access" }).waitFor();
await shoot(people.page, "security/images/consent");
await browser.close();
