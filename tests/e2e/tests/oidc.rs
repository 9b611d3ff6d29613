//! Signing in for applications (OAuth 2.1, OpenID Connect): by a library that nobody
//! here wrote, and by all that tries to get a code or token that is not its own.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Method, Response, StatusCode, Url};
use serde_json::{Value, json};
use stack::{Quiet, install_npm};
use tokio::process::Command;

use crate::client::{Client, Customer};
use crate::platform::{Platform, with_platform};

const OPENID_CLIENT: &str = "openid-client@6.8.9";
const CALLBACK: &str = "http://localhost:3999/callback";
const GOODBYE: &str = "http://localhost:3999/goodbye";
/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// An application and its browser.
struct App {
    edge: String,
    id: String,
    secret: String,
    http: reqwest::Client,
    cookies: Vec<String>,
}

impl App {
    async fn register(platform: &Platform, more: Value) -> Self {
        let mut client = json!({
            "display_name": "Gift finder",
            "redirect_uris": [CALLBACK],
            "post_logout_redirect_uris": [GOODBYE],
            "confidential": true,
        });
        client.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = platform.admin.client.post("/v1/oauth-clients", client).await.ok();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            edge: platform.stack.edge_url(),
            id: text(&made["client"]["client_id"]),
            secret: text(&made["client_secret"]),
            http: reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
            cookies: Vec::new(),
        }
    }

    fn parameters(&self) -> Vec<(&'static str, String)> {
        [
            ("client_id", self.id.as_str()),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "openid email offline_access"),
            ("state", "s-1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .into()
    }

    /// The parameters with some replaced, or taken out.
    fn with(&self, changes: &[(&'static str, Option<&str>)]) -> Vec<(&'static str, String)> {
        let mut parameters = self.parameters();
        for (name, value) in changes {
            parameters.retain(|(known, _)| known != name);
            parameters.extend(value.map(|value| (*name, value.to_owned())));
        }
        parameters
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Response {
        let answer = request.header(COOKIE, self.cookies.join("; ")).send().await.unwrap();
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
            let name = cookie.split('=').next().unwrap().to_owned();
            self.cookies.retain(|known| !known.starts_with(&format!("{name}=")));
            self.cookies.push(cookie);
        }
        answer
    }

    async fn authorize(&mut self, parameters: &[(&'static str, String)]) -> Response {
        let request = self.http.get(format!("{}/oauth2/authorize", self.edge)).query(parameters);
        self.send(request).await
    }

    /// Sends the form of a page with what a person fills in.
    async fn submit(&mut self, page: Response, filled: &[(&str, &str)]) -> Response {
        let (html, mut form) = (page.text().await.unwrap(), Vec::new());
        for part in html.split("<input type=\"hidden\" name=\"").skip(1) {
            let (name, rest) = part.split_once("\" value=\"").unwrap();
            let value = rest.split('"').next().unwrap();
            form.push((name.to_owned(), value.replace("&amp;", "&").replace("&#x2f;", "/")));
        }
        form.extend(filled.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
        let action = html.split("action=\"").nth(1).unwrap().split('"').next().unwrap();
        let request = self.http.post(format!("{}{action}", self.edge)).form(&form);
        let answer = self.send(request).await;
        // From the login back to where it came from.
        match location(&answer) {
            Some(to) if to.starts_with('/') => {
                let request = self.http.get(format!("{}{to}", self.edge));
                self.send(request).await
            }
            _ => answer,
        }
    }

    async fn sign_in(&mut self, customer: &Customer) -> Response {
        let page = self.authorize(&self.parameters()).await;
        let filled = [("email", customer.email.as_str()), ("password", &customer.password)];
        self.submit(page, &filled).await
    }

    /// A code for somebody who signs in and consents.
    async fn code(&mut self, customer: &Customer) -> String {
        let consent = self.sign_in(customer).await;
        let back = self.submit(consent, &[("decision", "allow")]).await;
        parameter(&back, "code").unwrap()
    }

    async fn token(&self, form: &[(&str, &str)]) -> (StatusCode, Value) {
        let request = self.http.post(format!("{}/oauth2/token", self.edge));
        let answer = request.basic_auth(&self.id, Some(&self.secret)).form(form).send().await;
        let answer = answer.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    async fn exchange(&self, code: &str, verifier: &str) -> (StatusCode, Value) {
        let grant = ("grant_type", "authorization_code");
        let uri = ("redirect_uri", CALLBACK);
        self.token(&[grant, ("code", code), uri, ("code_verifier", verifier)]).await
    }

    async fn refresh(&self, token: &str) -> (StatusCode, Value) {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }
}

fn location(answer: &Response) -> Option<String> {
    Some(answer.headers().get(LOCATION)?.to_str().unwrap().to_owned())
}

/// A parameter of the address that the browser is sent to.
fn parameter(answer: &Response, name: &str) -> Option<String> {
    let url = Url::parse(&location(answer)?).unwrap();
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

fn refused(answer: &(StatusCode, Value), error: &str) {
    assert_eq!((answer.0, answer.1["error"].as_str()), (StatusCode::BAD_REQUEST, Some(error)));
}

#[test]
fn oidc_a_foreign_library_signs_somebody_in_and_out() {
    with_platform(async |platform| {
        let packages = install_npm(&[OPENID_CLIENT], platform.stack.layout(), &mut Quiet).unwrap();
        let app = App::register(&platform, json!({"roles": ["customer"]})).await;
        let customer = platform.anonymous().register().await;
        let script = platform.stack.options().root.join("tests/e2e/tests/oidc/relying_party.mjs");
        let output = Command::new("node")
            .arg(script)
            .env("PACKAGES", packages)
            .env("ISSUER", platform.stack.edge_url())
            .env("CLIENT_ID", &app.id)
            .env("CLIENT_SECRET", &app.secret)
            .env("EMAIL", &customer.email)
            .env("PASSWORD", &customer.password)
            .output()
            .await
            .expect("node runs");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
        let got: Value = serde_json::from_slice(&output.stdout).unwrap();
        let user = &customer.session["user"]["user_id"];
        assert_eq!(got["pages"], json!(["Sign in", "Gift finder asks for access"]));
        assert_eq!((&got["claims"]["sub"], &got["user"]["sub"]), (user, user));
        assert_eq!(
            (&got["user"]["email"], &got["user"]["name"]),
            (&json!(customer.email), &json!("Ada"))
        );
        let flags = ["refreshed", "active", "revoked", "silent"].map(|name| got[name].as_bool());
        assert_eq!(flags, [Some(true), Some(true), Some(false), Some(true)], "{got}");
        assert_eq!(
            (&got["out"], &got["after"]),
            (&json!(format!("{GOODBYE}?state=bye")), &json!("login_required"))
        );
        // It may know who the user is, and nothing else.
        let with = |name: &str| platform.anonymous().with_token(got[name].as_str().unwrap());
        let refused = with("third_party").get("/v1/cart").await;
        assert!([401, 403].contains(&refused.status.as_u16()), "{refused:?}");
        with("machine").get("/v1/orders").await.ok();
    });
}

#[test]
fn oidc_an_application_that_may_use_the_shop_does() {
    with_platform(async |platform| {
        let mut app = App::register(&platform, json!({})).await;
        let customer = platform.anonymous().register().await;
        let asked = app.with(&[("scope", Some("openid stoa"))]);
        let page = app.authorize(&asked).await;
        let filled = [("email", customer.email.as_str()), ("password", &customer.password)];
        let consent = app.submit(page, &filled).await;
        let back = app.submit(consent, &[("decision", "allow")]).await;
        let (status, tokens) = app.exchange(&parameter(&back, "code").unwrap(), VERIFIER).await;
        assert_eq!((status, tokens.get("refresh_token")), (StatusCode::OK, None), "{tokens}");
        let client: Client =
            platform.anonymous().with_token(tokens["access_token"].as_str().unwrap());
        assert_eq!(client.get("/v1/users/me").await.ok()["email"], customer.email.as_str());
    });
}

#[test]
fn oidc_a_stranger_gets_no_code_and_nobody_is_sent_to_a_strangers_address() {
    with_platform(async |platform| {
        let mut app = App::register(&platform, json!({})).await;
        for change in [
            ("client_id", None),
            ("client_id", Some("01a1ffa2-9ea1-73c1-b787-97093dd9c4ee")),
            ("client_id", Some("' or 1=1 --")),
            ("redirect_uri", None),
            ("redirect_uri", Some("http://localhost:3999/callback/../evil")),
            ("redirect_uri", Some("http://localhost:3999/callback?x=1")),
            ("redirect_uri", Some("https://evil.example/")),
        ] {
            let answer = app.authorize(&app.with(&[change])).await;
            assert_eq!(
                (answer.status(), location(&answer)),
                (StatusCode::BAD_REQUEST, None),
                "{change:?}"
            );
        }
        for (change, error) in [
            (("response_type", Some("token")), "unsupported_response_type"),
            (("code_challenge", None), "invalid_request"),
            (("code_challenge_method", Some("plain")), "invalid_request"),
            (("request_uri", Some("https://evil.example/")), "request_not_supported"),
            (("prompt", Some("none")), "login_required"),
        ] {
            let answer = app.authorize(&app.with(&[change])).await;
            let told = (parameter(&answer, "error"), parameter(&answer, "state"));
            assert_eq!(told, (Some(error.to_owned()), Some("s-1".to_owned())), "{change:?}");
            assert_eq!(parameter(&answer, "iss"), Some(app.edge.clone()));
        }
    });
}

#[test]
fn oidc_a_form_of_another_page_signs_nobody_in() {
    with_platform(async |platform| {
        let mut app = App::register(&platform, json!({})).await;
        let customer = platform.anonymous().register().await;
        let page = app.authorize(&app.parameters()).await;
        let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        let cookies: Vec<_> = page.headers().get_all(SET_COOKIE).iter().cloned().collect();
        for cookie in &cookies {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
        }
        // Another site can send the form, but not with our cookie's value in it.
        let request = Url::parse_with_params("http://x/", app.parameters()).unwrap();
        let form = [
            ("csrf", "0123456789012345678901234567890123456789012"),
            ("request", request.query().unwrap()),
            ("email", &customer.email),
            ("password", &customer.password),
        ];
        let forged = app.http.post(format!("{}/oauth2/login", app.edge)).form(&form);
        let forged = app.send(forged).await;
        assert_eq!(forged.status(), StatusCode::FORBIDDEN);

        let page = app.authorize(&app.parameters()).await;
        let wrong = [("email", customer.email.as_str()), ("password", "not the password")];
        let again = app.submit(page, &wrong).await;
        assert_eq!(again.status(), StatusCode::UNAUTHORIZED);
        assert!(again.text().await.unwrap().contains("role=\"alert\""));
        // Who does not consent gives nothing.
        let consent = app.sign_in(&customer).await;
        let back = app.submit(consent, &[("decision", "deny")]).await;
        assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
    });
}

#[test]
fn oidc_a_code_works_once_for_its_application_and_whoever_has_the_verifier() {
    with_platform(async |platform| {
        let mut app = App::register(&platform, json!({})).await;
        let mut other = App::register(&platform, json!({})).await;
        let customer = platform.anonymous().register().await;
        let code = app.code(&customer).await;
        refused(&other.exchange(&code, VERIFIER).await, "invalid_grant");
        // Tried by a stranger, it works for nobody any more.
        refused(&app.exchange(&code, VERIFIER).await, "invalid_grant");

        let code = other.code(&customer).await;
        refused(&other.exchange(&code, &VERIFIER.replace('d', "e")).await, "invalid_grant");

        let again = parameter(&app.authorize(&app.parameters()).await, "code").unwrap();
        let (status, tokens) = app.exchange(&again, VERIFIER).await;
        assert_eq!(status, StatusCode::OK, "{tokens}");
        let first = tokens["refresh_token"].as_str().unwrap();
        refused(&other.refresh(first).await, "invalid_grant");
        let ours = json!({"refresh_token": first});
        let not_ours = platform.anonymous().post("/v1/auth/refresh", ours).await;
        assert_eq!(not_ours.status, StatusCode::UNAUTHORIZED);
        let (status, next) = app.refresh(first).await;
        assert_eq!(status, StatusCode::OK, "{next}");
        // The code comes again: what was given for it ends.
        refused(&app.exchange(&again, VERIFIER).await, "invalid_grant");
        refused(&app.refresh(next["refresh_token"].as_str().unwrap()).await, "invalid_grant");
    });
}

#[test]
fn oidc_an_application_proves_who_it_is() {
    with_platform(async |platform| {
        let app = App::register(&platform, json!({})).await;
        let url = format!("{}/oauth2/token", app.edge);
        let grant = [("grant_type", "client_credentials")];
        for (id, secret) in [(app.id.as_str(), "not it"), ("nobody", &app.secret), (&app.id, "")] {
            let answer = app.http.post(&url).basic_auth(id, Some(secret)).form(&grant).send().await;
            let answer = answer.unwrap();
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{id} {secret}");
            assert!(answer.headers().contains_key("www-authenticate"));
        }
        // It has no roles of its own.
        refused(&app.token(&grant).await, "unauthorized_client");
        refused(&app.token(&[("grant_type", "password")]).await, "unsupported_grant_type");
        let put = app.http.request(Method::PUT, &url).send().await.unwrap();
        assert_eq!(put.status(), StatusCode::NOT_FOUND);
        let forged = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
        let request = app.http.get(format!("{}/oauth2/userinfo", app.edge));
        let answer = request.bearer_auth(format!("{forged}.e30.")).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    });
}
