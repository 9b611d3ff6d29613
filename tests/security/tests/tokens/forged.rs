//! Tokens that are wrong in one way each. All claim to be the administrator's: whoever
//! believes one lets everything through.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use e2e::platform::Platform;
use e2e::signer::{Signer, payload, unsigned};
use grpc::Claims;
use serde_json::{Value, json};

/// A token and what is wrong with it.
pub struct Forged {
    pub what: String,
    pub token: String,
}

/// Makes tokens.
pub struct Forger {
    /// The administrator's own.
    pub real: String,
    platform: Signer,
    impostor: Signer,
    /// Where nobody may fetch keys.
    trap: String,
}

impl Forger {
    pub async fn of(platform: &Platform, trap: &str) -> Self {
        let signer = Signer::of(&platform.stack).await;
        Self {
            real: platform.admin.client.token().unwrap().to_owned(),
            impostor: signer.impostor(),
            platform: signer,
            trap: trap.to_owned(),
        }
    }

    pub fn all(&self) -> Vec<Forged> {
        let mut all = Vec::new();
        let mut add = |what: String, token| all.push(Forged { what, token });
        for (what, token) in self.algorithms().into_iter().chain(self.signatures()) {
            add(what, token);
        }
        for (what, token) in self.keys().into_iter().chain(self.shapes()) {
            add(what, token);
        }
        for (what, claims) in self.claims() {
            add(what, self.platform.seal(&self.header().to_string(), &claims.to_string()));
        }
        all
    }

    /// A claim that the platform never writes, and the edge still looks at (RFC 7519,
    /// section 4.1.5).
    pub fn not_yet(&self) -> Forged {
        let mut claims = payload(&self.real);
        claims["nbf"] = json!(claims["iat"].as_i64().unwrap() + 3_600);
        let token = self.platform.seal(&self.header().to_string(), &claims.to_string());
        Forged { what: "nbf is in an hour".to_owned(), token }
    }

    /// As the platform writes it.
    fn header(&self) -> Value {
        let part = self.real.split('.').next().unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    fn header_with(&self, name: &str, value: Value) -> String {
        let mut header = self.header();
        header[name] = value;
        header.to_string()
    }

    fn payload(&self) -> String {
        payload(&self.real).to_string()
    }

    /// The token chooses how it is checked (RFC 8725, sections 2.1 and 3.1).
    fn algorithms(&self) -> Vec<(String, String)> {
        let payload = self.payload();
        let mut all = Vec::new();
        for none in ["none", "None", "NONE", "nOnE", ""] {
            let text = unsigned(&self.header_with("alg", json!(none)), &payload);
            let signature = self.real.rsplit('.').next().unwrap();
            all.push((format!("alg {none:?} without a signature"), format!("{text}.")));
            all.push((format!("alg {none:?} with one"), format!("{text}.{signature}")));
        }
        let claims: Claims = serde_json::from_str(&payload).unwrap();
        let hs256 = self.platform.sign_with_public_key(&claims);
        all.push(("HS256 with the public key".to_owned(), hs256));
        for algorithm in ["HS256", "HS384", "RS256", "PS256", "ES384", "ES512", "EdDSA", "es256"] {
            let header = self.header_with("alg", json!(algorithm));
            let token = self.platform.seal(&header, &payload);
            all.push((format!("alg {algorithm} over an ES256 signature"), token));
        }
        for (what, alg) in
            [("a number", json!(256)), ("null", json!(null)), ("a list", json!(["ES256"]))]
        {
            let token = self.platform.seal(&self.header_with("alg", alg), &payload);
            all.push((format!("alg is {what}"), token));
        }
        let mut header = self.header();
        header.as_object_mut().unwrap().remove("alg");
        all.push(("alg is missing".to_owned(), self.platform.seal(&header.to_string(), &payload)));
        all
    }

    fn signatures(&self) -> Vec<(String, String)> {
        let (header, payload) = (self.header().to_string(), self.payload());
        let text = unsigned(&header, &payload);
        let [real_text, signature] = {
            let (text, signature) = self.real.rsplit_once('.').unwrap();
            [text, signature]
        };
        let mut raised: Value = serde_json::from_str(&payload).unwrap();
        raised["roles"] = json!(["admin", "manager", "root"]);
        let mut other: Value = serde_json::from_str(&payload).unwrap();
        other["sub"] = json!("019a0000-0000-7000-8000-000000000001");
        let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let mut flipped = bytes.clone();
        flipped[40] ^= 1;
        let long: Vec<u8> = bytes.iter().copied().chain([0]).collect();
        let with = |bytes: &[u8]| format!("{real_text}.{}", URL_SAFE_NO_PAD.encode(bytes));
        let of =
            |payload: &Value| format!("{}.{signature}", unsigned(&header, &payload.to_string()));
        [
            ("roles raised under the old signature", of(&raised)),
            ("another user under the old signature", of(&other)),
            ("one bit of the signature", with(&flipped)),
            ("no signature", format!("{text}.")),
            ("half a signature", with(&bytes[..32])),
            ("a signature and a byte", with(&long)),
            // CVE-2022-21449: zeros verify everywhere where they are not refused.
            ("a signature of zeros", with(&[0; 64])),
            ("a signature in DER", self.platform.seal_in_der(&header, &payload)),
            ("another key under the right kid", self.impostor.seal(&header, &payload)),
        ]
        .map(|(what, token)| (what.to_owned(), token))
        .into()
    }

    /// The token chooses its key (RFC 8725, section 3.10).
    fn keys(&self) -> Vec<(String, String)> {
        let payload = self.payload();
        let long = "A".repeat(4_000);
        let mut all = Vec::new();
        let kids = [
            json!(""),
            json!(null),
            json!(7),
            json!(["a", "b"]),
            json!("made-up"),
            json!("../../../../../../dev/null"),
            json!("/proc/sys/kernel/randomize_va_space"),
            json!("' or '1'='1"),
            json!("x' union select 'AA' --"),
            json!("'; drop table signing_keys; --"),
            json!(self.trap),
            json!("kid\u{0}"),
            json!("kid\r\nx-roles: admin"),
            json!("| touch /tmp/stoa-kid"),
            json!("*"),
            json!(format!("{} ", self.platform.kid)),
            json!(self.platform.kid.to_lowercase()),
            json!(long),
        ];
        for kid in kids {
            let shown: String = kid.to_string().chars().take(40).collect();
            let header = self.header_with("kid", kid);
            all.push((format!("kid {shown}"), self.impostor.seal(&header, &payload)));
        }
        let mut header = self.header();
        header.as_object_mut().unwrap().remove("kid");
        let token = self.impostor.seal(&header.to_string(), &payload);
        all.push(("no kid".to_owned(), token));
        let places = [
            ("jku", json!(self.trap)),
            ("x5u", json!(self.trap)),
            ("jwk", self.impostor.jwk()),
            ("x5c", json!([STANDARD.encode("certificate")])),
        ];
        for (name, value) in places {
            let token = self.impostor.seal(&self.header_with(name, value), &payload);
            all.push((format!("a key of its own in {name}"), token));
        }
        all
    }

    fn shapes(&self) -> Vec<(String, String)> {
        let real = &self.real;
        let parts: Vec<&str> = real.split('.').collect();
        let padded = format!("{}==.{}.{}", parts[0], parts[1], parts[2]);
        let text = unsigned("{\"alg\":\"ES256\"", &self.payload());
        let twice = self.header().to_string().replacen('{', "{\"alg\":\"none\",", 1);
        [
            ("one part", parts[0].to_owned()),
            ("two parts", format!("{}.{}", parts[0], parts[1])),
            ("four parts", format!("{real}.{}", parts[2])),
            ("five parts, as if encrypted", format!("{real}.{}.{}", parts[1], parts[2])),
            ("a dot behind it", format!("{real}.")),
            ("a dot before it", format!(".{real}")),
            ("dots only", "..".to_owned()),
            ("padding", padded),
            ("a character that is no base64", format!("{}!{}", &real[..20], &real[20..])),
            ("a quotation", format!("\"{real}\"")),
            ("a header that is no JSON", format!("{text}.{}", parts[2])),
            ("alg twice, none first", self.impostor.seal(&twice, &self.payload())),
            ("claims that are no object", self.platform.seal(&self.header().to_string(), "[]")),
            ("claims that are nothing", self.platform.seal(&self.header().to_string(), "")),
            ("null", "null".to_owned()),
            ("a long text", "A".repeat(8_000)),
        ]
        .map(|(what, token)| (what.to_owned(), token))
        .into()
    }

    /// Signed by the platform's own key, with one claim that is wrong.
    fn claims(&self) -> Vec<(String, Value)> {
        let real = payload(&self.real);
        let (issued, issuer) = (real["iat"].as_i64().unwrap(), real["iss"].as_str().unwrap());
        let changes = [
            ("exp", json!(issued - 3_600)),
            ("exp", json!(issued - 120)),
            ("exp", json!(0)),
            ("exp", json!(-1)),
            ("exp", json!("never")),
            ("exp", json!(null)),
            ("iss", json!("https://shop.example.com")),
            ("iss", json!(format!("{issuer}/"))),
            ("iss", json!(issuer.to_uppercase())),
            ("iss", json!("")),
            ("iss", json!(null)),
            ("aud", json!("warehouse")),
            ("aud", json!([])),
            ("aud", json!(["warehouse"])),
            ("aud", json!("")),
            ("aud", json!(null)),
            ("sub", json!("admin")),
            ("sub", json!("' or '1'='1")),
            ("sub", json!(null)),
            ("roles", json!({"admin": true})),
        ];
        let mut all = Vec::new();
        for (name, value) in changes {
            let mut claims = real.clone();
            claims[name] = value;
            all.push((format!("{name} is {}", claims[name]), claims));
        }
        for name in ["exp", "iss", "aud", "sub"] {
            let mut claims = real.clone();
            claims.as_object_mut().unwrap().remove(name);
            all.push((format!("{name} is missing"), claims));
        }
        all
    }
}
