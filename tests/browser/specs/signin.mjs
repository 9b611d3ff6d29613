// Signing in for an application: wrong and right password, second factor, consent,
// refusal, signing out; with scripts, without, and by keyboard alone.

import assert from "node:assert/strict";
import { createHash, createHmac, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { EDGE, accessible, launch, open } from "./browser.mjs";

const { CLIENT, EMAILS, PASSWORD, CAREFUL, KEY } = process.env;
const [first, second, third] = EMAILS.split(" ");
const CALLBACK = "http://localhost:3999/callback";
const GOODBYE = "http://localhost:3999/goodbye";
const browser = await launch();
const person = (options) => open(browser, options);

// The application to which people are taken back.
const application = createServer((request, answer) => {
  answer.setHeader("content-type", "text/html");
  answer.end("<!doctype html><html lang=en><title>Gift finder</title><link rel=icon href=data:,><h1>Gift finder</h1>");
});
await new Promise((resolve) => application.listen(3999, "localhost", resolve));

function authorize(state) {
  const verifier = randomBytes(32).toString("base64url");
  const challenge = createHash("sha256").update(verifier).digest("base64url");
  return `${EDGE}/oauth2/authorize?${new URLSearchParams({
    client_id: CLIENT,
    redirect_uri: CALLBACK,
    response_type: "code",
    scope: "openid email",
    state,
    code_challenge: challenge,
    code_challenge_method: "S256",
  })}`;
}

async function signIn(page, email, password, code) {
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Password").fill(password);
  if (code) await page.getByLabel("One-time code").fill(code);
  await page.getByRole("button", { name: "Sign in" }).click();
}

async function arrived(page, state) {
  await page.waitForURL(`${CALLBACK}?**`);
  const told = new URL(page.url()).searchParams;
  assert.equal(told.get("state"), state);
  return told;
}

/** RFC 6238, of a step from now. */
function oneTimeCode(step) {
  const bits = [...KEY].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + step));
  const mac = createHmac("sha1", key).update(counter).digest();
  const at = mac.at(-1) & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

// Wrong, then right; consent; the next time nobody is asked; signing out.
for (const javaScriptEnabled of [true, false]) {
  const email = javaScriptEnabled ? first : second;
  const { page, complaints, hosts, context } = await person({ javaScriptEnabled });
  await page.goto(authorize("one"));
  if (javaScriptEnabled) await accessible(page, "the login page");
  await signIn(page, email, "not the password");
  await page.getByRole("alert").waitFor();
  assert.equal(await page.getByLabel("E-mail address").inputValue(), email);
  assert.equal(await page.getByLabel("Password").inputValue(), "");
  if (javaScriptEnabled) await accessible(page, "the login page after a mistake");
  await signIn(page, email, PASSWORD);
  await page.getByRole("heading", { name: "Gift finder asks for access" }).waitFor();
  assert.match(await page.locator("main").innerText(), new RegExp(email));
  if (javaScriptEnabled) await accessible(page, "the consent page");
  await page.getByRole("button", { name: "Allow", exact: true }).click();
  assert.ok((await arrived(page, "one")).get("code"));

  await page.goto(authorize("two"));
  assert.ok((await arrived(page, "two")).get("code"));

  await page.goto(`${EDGE}/oauth2/logout?${new URLSearchParams({ client_id: CLIENT, post_logout_redirect_uri: GOODBYE })}`);
  await page.getByRole("heading", { name: "Sign out" }).waitFor();
  if (javaScriptEnabled) await accessible(page, "the page for signing out");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForLoadState();
  await page.goto(authorize("three"));
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  // The browser itself notes that a wrong password was answered with 401.
  assert.deepEqual(complaints.filter((text) => !text.includes("401")), []);
  assert.deepEqual([...hosts].sort(), [EDGE, "http://localhost:3999"].sort());
  await context.close();
}

// By keyboard alone; who does not consent gives nothing.
{
  const { page, context } = await person();
  await page.goto(authorize("keys"));
  await page.locator("#email:focus").waitFor();
  await page.keyboard.type(third);
  await page.keyboard.press("Tab");
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Gift finder asks for access" }).waitFor();
  await page.keyboard.press("Tab");
  await page.locator("button:focus", { hasText: "Allow" }).waitFor();
  await page.keyboard.press("Tab");
  await page.locator("button:focus", { hasText: "Do not allow" }).waitFor();
  await page.keyboard.press("Enter");
  const told = await arrived(page, "keys");
  assert.deepEqual([told.get("error"), told.get("code")], ["access_denied", null]);
  await context.close();
}

// A second factor; on a phone, in the dark.
{
  const { page, context } = await person({ viewport: { width: 390, height: 844 }, colorScheme: "dark" });
  await page.goto(authorize("careful"));
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= 390, `the login page is ${wide} wide on a phone`);
  await signIn(page, CAREFUL, PASSWORD);
  await page.getByRole("alert").waitFor();
  await accessible(page, "the login page that asks for a code");
  // The code of this step was used when the factor was set up; every one works once.
  await signIn(page, CAREFUL, PASSWORD, oneTimeCode(1));
  await page.getByRole("heading", { name: "Gift finder asks for access" }).waitFor();
  await accessible(page, "the consent page on a phone, dark");
  // With the customer's e-mail address on it, however long.
  const consent = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(consent <= 390, `the consent page is ${consent} wide on a phone`);
  await context.close();
}

console.log("signing in: with and without scripts, by keyboard, with a second factor");
await browser.close();
application.close();
