// An application that signs people in here, by `openid-client`, a library that nobody
// here wrote. The browser is this file, too: it follows redirects, keeps cookies and
// sends forms. Says what it got as one JSON object.

import { pathToFileURL } from "node:url";

const { PACKAGES, ISSUER, CLIENT_ID, CLIENT_SECRET, EMAIL, PASSWORD } = process.env;
const entry = `${PACKAGES}/node_modules/openid-client/build/index.js`;
const oidc = await import(pathToFileURL(entry).href);

const callback = "http://localhost:3999/callback";
const goodbye = "http://localhost:3999/goodbye";

/** Goes on until a page or an address that is not the provider's. */
class Browser {
  cookies = new Map();
  seen = [];

  async go(url, form) {
    for (let hops = 0; hops < 10; hops++) {
      if (!url.href.startsWith(ISSUER)) return { url };
      const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
      const answer = await fetch(url, {
        method: form ? "POST" : "GET",
        body: form && new URLSearchParams(form),
        headers: { cookie },
        redirect: "manual",
      });
      for (const line of answer.headers.getSetCookie()) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
        line.includes("Max-Age=0") ? this.cookies.delete(name) : this.cookies.set(name, value);
      }
      const location = answer.headers.get("location");
      if (!location) return { url, status: answer.status, page: await answer.text() };
      [url, form] = [new URL(location, url), undefined];
    }
    throw new Error(`too many redirects to ${url}`);
  }

  /** Sends the form of a page, with what a person fills in. */
  async submit({ url, page }, filled) {
    this.seen.push(/<h1>([^<]*)/.exec(page)[1]);
    const hidden = [...page.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)];
    const plain = (text) => text.replaceAll("&amp;", "&").replaceAll("&#x2f;", "/").replaceAll("&quot;", '"');
    const values = Object.fromEntries(hidden.map(([, name, value]) => [name, plain(value)]));
    const action = /action="([^"]*)"/.exec(page)[1];
    return this.go(new URL(action, url), { ...values, ...filled });
  }
}

const options = { execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks] };
const config = await oidc.discovery(new URL(ISSUER), CLIENT_ID, CLIENT_SECRET, undefined, options);

const verifier = oidc.randomPKCECodeVerifier();
const [nonce, state] = [oidc.randomNonce(), oidc.randomState()];
const parameters = {
  redirect_uri: callback,
  scope: "openid profile email offline_access",
  code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  nonce,
  state,
};
const browser = new Browser();
const login = await browser.go(oidc.buildAuthorizationUrl(config, parameters));
const consent = await browser.submit(login, { email: EMAIL, password: PASSWORD });
const back = await browser.submit(consent, { decision: "allow" });

const checks = { pkceCodeVerifier: verifier, expectedNonce: nonce, expectedState: state, idTokenExpected: true };
const tokens = await oidc.authorizationCodeGrant(config, back.url, checks);
const claims = tokens.claims();
const user = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token);
const active = await oidc.tokenIntrospection(config, refreshed.refresh_token);
await oidc.tokenRevocation(config, refreshed.refresh_token);
const revoked = await oidc.tokenIntrospection(config, refreshed.refresh_token);

// Signed in already, and asked once: nobody is asked again.
const silent = { ...parameters, prompt: "none", state: oidc.randomState() };
const again = await browser.go(oidc.buildAuthorizationUrl(config, silent));
const end = { id_token_hint: tokens.id_token, post_logout_redirect_uri: goodbye, state: "bye" };
const asked = await browser.go(oidc.buildEndSessionUrl(config, end));
const out = asked.page ? await browser.submit(asked, {}) : asked;
const after = await browser.go(oidc.buildAuthorizationUrl(config, silent));
const machine = await oidc.clientCredentialsGrant(config, {});

console.log(
  JSON.stringify({
    pages: browser.seen,
    claims,
    user,
    refreshed: refreshed.access_token !== tokens.access_token,
    active: active.active,
    revoked: revoked.active,
    silent: again.url.searchParams.has("code"),
    out: out.url.href,
    after: after.url.searchParams.get("error"),
    machine: machine.access_token,
    third_party: tokens.access_token,
  }),
);
