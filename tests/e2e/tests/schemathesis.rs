//! The OpenAPI document against the running edge: schemathesis makes requests that
//! the document allows and requests that it does not, and every answer must be
//! documented. The seed is fixed: the same document makes the same requests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use serde_json::json;
use stack::{Quiet, api_testers};
use tokio::process::Command;

use crate::platform::{Platform, with_platform};

/// Not among them: whether what the document does not allow is refused. Proto JSON
/// reads more than it writes, numbers in strings for example.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance,ignored_auth";

/// Things that exist, for requests to name.
struct Things {
    token: String,
    product: String,
    order: String,
    payment: String,
    user: String,
}

impl Things {
    /// They stand in paths.
    fn parameters(&self) -> String {
        let Self { product, order, payment, user, .. } = self;
        format!(
            "[parameters]\n\"path.product_id\" = \"{product}\"\n\"path.order_id\" = \"{order}\"\n\
             \"path.payment_id\" = \"{payment}\"\n\"path.user_id\" = \"{user}\"\n\
             \"path.provider\" = \"sandbox\"\n"
        )
    }
}

/// A customer with a product of their own and an order of it that is cancelled: an
/// order's stream ends by itself only in a final state.
async fn things(platform: &Platform) -> Things {
    let product = platform.admin.product(1999, 1000).await;
    let customer = platform.anonymous().register().await;
    customer.put_in_cart(&product, 1).await;
    let order = customer.order("tok_visa").await.ok();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let id = text(&order["order_id"]);
    customer.client.post(&format!("/v1/orders/{id}:cancel"), json!({})).await.ok();
    Things {
        token: text(&customer.session["access_token"]),
        product,
        order: id,
        payment: text(&order["payment_id"]),
        user: text(&customer.session["user"]["user_id"]),
    }
}

/// Runs schemathesis with somebody's token. Who knows of nothing that exists finds
/// out what is answered about things that do not.
async fn run(
    bin: &Path,
    edge: &str,
    dir: PathBuf,
    who: &str,
    token: &str,
    known: Option<&Things>,
) -> Output {
    let settings = dir.join(format!("schemathesis-{who}.toml"));
    fs::write(&settings, known.map(Things::parameters).unwrap_or_default()).expect("a file");
    let mut command = Command::new(bin.join("schemathesis"));
    command.current_dir(dir).arg("--config-file").arg(settings);
    command.args(["run", &format!("{edge}/docs/openapi.yaml"), "--url", edge]);
    command.args(["--phases", "examples,coverage,fuzzing", "--mode", "all", "--checks", CHECKS]);
    command.args(["--max-examples", "10", "--seed", "1", "--request-timeout", "20"]);
    command.args(["--suppress-health-check", "all", "--warnings", "off", "--no-color"]);
    command.args(["--header", &format!("Authorization: Bearer {token}")]);
    command.kill_on_drop(true);
    let limit = Duration::from_secs(300);
    let output = tokio::time::timeout(limit, command.output()).await;
    output.expect("schemathesis ends in time").expect("schemathesis runs")
}

/// What the run says at its end, or all of it when it found something.
fn report(who: &str, output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let summary = text.split_once(" SUMMARY ").map_or(text.as_str(), |(_, end)| end);
    let shown = if output.status.success() { summary } else { text.as_str() };
    format!("schemathesis as {who}:{}", shown.trim_start_matches('='))
}

#[test]
fn every_answer_to_anything_is_documented() {
    with_platform(async |platform| {
        let dir = platform.stack.layout().path("run");
        let bin = api_testers(platform.stack.layout(), &mut Quiet).expect("schemathesis");
        let edge = platform.stack.edge_url();
        let (of_customer, of_admin) = (things(&platform).await, things(&platform).await);
        let token = of_customer.token.clone();
        let admin = platform.admin.client.token().expect("signed in");
        let newcomer = platform.anonymous().register().await;
        let nothing = newcomer.client.token().expect("signed in");
        let runs = [
            ("customer", token.as_str(), Some(&of_customer)),
            ("admin", admin, Some(&of_admin)),
            ("newcomer", nothing, None),
        ];
        let runs = runs.map(async |(who, token, known)| {
            let output = run(&bin, &edge, dir.clone(), who, token, known).await;
            (output.status.success(), report(who, &output))
        });
        let outcomes = futures::future::join_all(runs).await;
        let found: Vec<&str> = outcomes.iter().map(|(_, report)| report.as_str()).collect();
        println!("{}", found.join("\n"));
        assert!(outcomes.iter().all(|(well, _)| *well), "{}", found.join("\n"));
    });
}

#[test]
fn the_document_is_valid_openapi() {
    with_platform(async |platform| {
        let bin = api_testers(platform.stack.layout(), &mut Quiet).expect("the validator");
        let mut command = Command::new(bin.join("openapi-spec-validator"));
        command.arg("--schema").arg("3.1");
        command.arg(platform.stack.options().root.join("docs/api/openapi.yaml"));
        let output = command.output().await.expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    });
}
