//! Text that is code somewhere: through every string field of every REST method of the
//! contract. It is refused or comes back as it was sent, and nobody runs it.

use contract::Method;
use e2e::CONTRACT;
use e2e::client::Client;
use e2e::dynamic::{Answer, Call, rest};
use e2e::platform::{Platform, eventually};
use e2e::world::World;
use futures::{StreamExt, stream};
use prost_reflect::{Kind, MessageDescriptor};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::arena::attack;
use crate::table::Table;

/// Calls at the same time.
const AT_ONCE: usize = 8;

/// What is code to databases, templates, logs, headers, shells, pages and tables.
const TEXTS: [&str; 22] = [
    "a\0b",
    "' or '1'='1",
    "'); drop table users; --",
    "\" or \"\"=\"",
    "%' or 1=1 -- %_",
    "1; select pg_sleep(10)",
    "\\'; --",
    "\",\"roles\":[\"admin\"],\"x\":\"",
    "{\"$gt\":\"\"}",
    "x\r\nset-cookie: stolen=1",
    "x\n{\"level\":\"ERROR\",\"message\":\"forged\"}",
    "\u{1b}[2Jcleared",
    "\u{202e}gnp.exe",
    "\u{200b}\u{feff}\u{fffe}",
    "{{7*7}}{% for x in (1).__class__ %}",
    "${7*7}#{7*7}<%= 7*7 %>",
    "${jndi:ldap://127.0.0.1:1/a}",
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "../../../../etc/passwd",
    "$(id)`id`|id;id",
    "=cmd|' /C calc'!A0",
];

/// What a resource says and nobody but the platform writes: it is taken from no request.
const PLATFORMS_OWN: [&str; 6] = [
    "stoa.catalog.v1.Product.product_id",
    "stoa.identity.v1.Role.role_id",
    "stoa.identity.v1.SavedAddress.address_id",
    "stoa.identity.v1.User.user_id",
    "stoa.identity.v1.User.email",
    "stoa.identity.v1.User.roles",
];

/// One text in one field.
struct Case {
    method: &'static Method,
    field: String,
    /// Of the field, with its message.
    full_name: String,
    text: &'static str,
    token: Option<String>,
    request: Value,
}

#[test]
fn text_that_is_code_somewhere_is_refused_or_kept_as_it_is() {
    attack(async |platform| {
        let mut table = Table::new("injection");
        let world = World::build(platform).await;
        let cases = cases(&world);
        let (url, http) = (platform.stack.edge_url(), reqwest::Client::new());
        let tried = stream::iter(cases).map(|case| {
            let (url, http) = (&url, &http);
            let world = &world;
            async move { (tried(http, url, world, &case).await, case) }
        });
        let tried: Vec<(Answer, Case)> = tried.buffered(AT_ONCE).collect().await;
        let mut kept = 0;
        for (answer, case) in &tried {
            let status = answer.http.unwrap_or_default();
            let success = (200..300).contains(&status);
            let told = success && tells(&answer.body, &case.field, case.text);
            kept += u32::from(told);
            let own = PLATFORMS_OWN.contains(&case.full_name.as_str());
            let changed = success && (told == own) && names(&answer.body, &case.field);
            let refused = (400..500).contains(&status) && !answer.reason.is_empty();
            let what = format!("{}, {}", case.method.name(), case.field);
            let got = format!("{status} {} {}", answer.reason, if told { "as it was" } else { "" });
            let good = (success && !changed) || refused;
            table.row(&what, case.text, "a refusal, or the text as it was", &got, good);
        }
        table.row("texts that came back", "all", "some", &kept.to_string(), kept > 20);
        logs(&mut table, platform);
        table.end();
    });
}

async fn tried(http: &reqwest::Client, edge: &str, world: &World, case: &Case) -> Answer {
    let token = case.token.as_deref();
    if case.method.name() == "PlaceOrder" {
        // Nothing else of an order is looked at while there is nothing to order.
        let method = CONTRACT.method("/stoa.cart.v1.CartService/AddItem").unwrap();
        let request = &world.request(method);
        rest(http, edge, &Call { method, request, token, idempotency_key: None }).await;
    }
    let key = Uuid::now_v7().to_string();
    let call = Call {
        method: case.method,
        request: &case.request,
        token,
        idempotency_key: case.method.policy.idempotency_key.then_some(&key),
    };
    rest(http, edge, &call).await
}

/// Every text in every string of every method, one at a time.
fn cases(world: &World) -> Vec<Case> {
    let mut cases = Vec::new();
    for (_, method) in CONTRACT.external().filter(|(_, m)| m.http.is_some()) {
        for (way, full_name) in strings(&method.descriptor.input()) {
            for text in TEXTS {
                let mut request = world.request(method);
                put(&mut request, &way, json!(text));
                let (field, token) = (way.last().unwrap().clone(), caller(world, method));
                let full_name = full_name.clone();
                cases.push(Case { method, field, full_name, text, token, request });
            }
        }
    }
    cases
}

/// Somebody who may: the owner where a thing has one.
fn caller(world: &World, method: &Method) -> Option<String> {
    let access = &method.policy.access;
    if !access.needs_user() {
        return None;
    }
    let by_customers = access
        .permission
        .as_deref()
        .is_none_or(|permission| CONTRACT.holders(permission).contains(&"customer"));
    let people = &world.people;
    Some(if by_customers { people.customer.clone() } else { people.admin.clone() })
}

/// The ways to every string of a request that people write, not in raw bodies, and each
/// string's full name.
fn strings(message: &MessageDescriptor) -> Vec<(Vec<String>, String)> {
    let mut found = Vec::new();
    for field in message.fields() {
        let here = vec![field.name().to_owned()];
        match field.kind() {
            Kind::String => found.push((here, field.full_name().to_owned())),
            Kind::Message(inner)
                if !field.is_list() && inner.package_name().starts_with("stoa.") =>
            {
                for (way, name) in strings(&inner) {
                    found.push(([here.clone(), way].concat(), name));
                }
            }
            _ => {}
        }
    }
    found
}

/// Puts a text at the end of a way, a list of it where a list is.
fn put(value: &mut Value, way: &[String], text: Value) {
    let [name, rest @ ..] = way else { return };
    if !rest.is_empty() {
        if !value[name].is_object() {
            value[name] = json!({});
        }
        return put(&mut value[name], rest, text);
    }
    value[name] = if value[name].is_array() { json!([text]) } else { text };
}

/// Whether a field of that name is there.
fn names(body: &Value, field: &str) -> bool {
    match body {
        Value::Object(fields) => {
            fields.iter().any(|(name, v)| (name == field && v.is_string()) || names(v, field))
        }
        Value::Array(items) => items.iter().any(|item| names(item, field)),
        _ => false,
    }
}

/// Whether one of them says that text.
fn tells(body: &Value, field: &str, text: &str) -> bool {
    match body {
        Value::Object(fields) => {
            fields.iter().any(|(name, v)| (name == field && v == text) || tells(v, field, text))
        }
        Value::Array(items) => items.iter().any(|item| tells(item, field, text)),
        _ => false,
    }
}

/// Every line of a log is one of its program's own: JSON, and none that was sent.
fn logs(table: &mut Table, platform: &Platform) {
    let mut programs: Vec<String> = CONTRACT.workloads();
    programs.extend(["guard", "access"].map(str::to_owned));
    for program in programs {
        let text = std::fs::read_to_string(platform.stack.log_of(&program)).unwrap();
        let odd = text.lines().find(|line| serde_json::from_str::<Value>(line).is_err());
        table.same(&format!("the log of {program}"), "all texts", None, odd);
        let forged = text
            .lines()
            .any(|line| line.starts_with("{\"level\":\"ERROR\",\"message\":\"forged\""));
        table.same(&format!("a forged line in the log of {program}"), "all texts", false, forged);
        let raw = text.contains('\u{1b}') || text.contains('\0');
        table.same(&format!("control characters in the log of {program}"), "all texts", false, raw);
    }
}

#[test]
fn a_name_is_no_template_and_no_header_of_a_mail() {
    attack(async |platform| {
        let mut table = Table::new("mail-injection");
        let client: Client = platform.anonymous();
        for name in
            ["Ada {{7*7}}", "Ada {% raw %}", "Ada\r\nBcc: mallory@example.com", "Ada\nX-Evil: 1"]
        {
            let email = format!("ada-{}@example.com", Uuid::now_v7().simple());
            let password = "correct horse battery";
            let body = json!({"email": email, "password": password, "display_name": name});
            let answer = client.post("/v1/auth/register", body).await;
            if answer.status.as_u16() == 400 {
                table.row("a name", name, "refused, or as it is", answer.reason(), true);
                continue;
            }
            answer.ok();
            let mail = eventually("a mail", async || platform.mail_to(&email).pop()).await;
            let head = mail.replace("\r\n", "\n");
            let head = head.split("\n\n").next().unwrap_or_default();
            let added = head.lines().any(|l| l.starts_with("Bcc:") || l.starts_with("X-Evil:"));
            table.same("a header that was added", name, false, added);
            let evaluated = mail.contains("Ada 49");
            table.same("a template that was evaluated", name, false, evaluated);
        }
        table.end();
    });
}
