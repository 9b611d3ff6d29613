//! The authorization matrix: every RPC of the contract, as every user and from every
//! workload, over every way in. What each gets is computed from the contract; a new
//! method, role or workload is tried without a line of this being changed.

mod evidence;
mod expected;
mod ownership;
mod peers;
mod report;
mod users;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use contract::{EDGE, Method, TOOLS};
use futures::StreamExt;
use stack::Stack;
use tonic::Code;
use tonic::transport::{Channel, Endpoint};
use uuid::Uuid;

use crate::dynamic::{Answer, Call, grpc, rest, told};
use crate::parity::CONTRACT;
use crate::platform::alone_on_platform;
use e2e::world::World;
use expected::{Expected, Way, expected};
use peers::Peer;
use users::User;

/// Calls at the same time.
const AT_ONCE: usize = 16;

/// One cell.
#[derive(Clone, Copy)]
struct Case<'a> {
    method: &'static Method,
    way: Way,
    /// Over the mesh only.
    peer: Option<&'a Peer>,
    user: &'a User,
    with_key: bool,
    expected: Expected,
}

/// A case and what came of it.
struct Tried<'a> {
    case: Case<'a>,
    answer: Answer,
    violation: Option<String>,
}

#[test]
fn matrix_every_method_answers_every_caller_as_the_contract_says() {
    alone_on_platform(async |platform| {
        let world = World::build(&platform).await;
        let users = users::all(&platform.stack, &world.people).await;
        let peers = peers::all(&platform.stack, &CONTRACT);
        let callers = Callers::new(&platform.stack, &peers, &world);
        let began = Instant::now();
        // First all that must be refused: it changes nothing, wherever one looks.
        let (allowed, refused): (Vec<_>, Vec<_>) =
            cases(&users, &peers).into_iter().partition(|c| c.expected == Expected::Allowed);
        let before = evidence::at_rest(&platform, &CONTRACT, &world).await;
        let mut tried = callers.try_all(refused).await;
        let after = evidence::at_rest(&platform, &CONTRACT, &world).await;
        let effects = evidence::difference(&before, &after);
        tried.extend(callers.try_all(allowed).await);
        report::write(&users, &peers, &tried);
        let violations: Vec<String> = tried.iter().filter_map(report::violation).collect();
        println!("matrix: {} in {:.1?}", report::counts(&tried), began.elapsed());
        let (kept, changed) = (before.len(), effects.len());
        println!("matrix: {changed} of {kept} tables and carts were changed by what was refused");
        assert!(
            violations.is_empty() && effects.is_empty(),
            "{} violations:\n{}\n{} things changed by what was refused:\n{}",
            violations.len(),
            violations.join("\n"),
            effects.len(),
            effects.join("\n")
        );
    });
}

/// Every method, every way, everybody.
fn cases<'a>(users: &'a [User], peers: &'a [Peer]) -> Vec<Case<'a>> {
    let mut cases = Vec::new();
    for (_, method) in CONTRACT.methods() {
        let mut add = |way, peer: Option<&'a Peer>, user: &'a User, with_key| {
            let standing = peer.map(|peer| &peer.standing);
            let expected = expected(&CONTRACT, method, standing, &user.standing, with_key);
            cases.push(Case { method, way, peer, user, with_key, expected });
        };
        for user in users {
            add(Way::Grpc, None, user, true);
            add(Way::Rest, None, user, true);
            for peer in peers.iter().filter(|p| speaks_for_users(p, method) || alone(user)) {
                add(Way::Mesh, Some(peer), user, true);
            }
            // The key is asked for after the permission, never before.
            if method.policy.idempotency_key {
                add(Way::Grpc, None, user, false);
                add(Way::Rest, None, user, false);
            }
        }
    }
    cases
}

/// Whether every user is tried through a workload, and not the ends only.
fn speaks_for_users(peer: &Peer, method: &Method) -> bool {
    let named = method.policy.access.callers.contains(&peer.name);
    named || [EDGE, TOOLS].contains(&peer.name.as_str())
}

/// Nobody, and somebody who may do everything: neither makes up for a wrong workload.
fn alone(user: &User) -> bool {
    ["anonymous", "admin"].contains(&user.name)
}

/// Connections, each used again and again.
struct Callers<'a> {
    world: &'a World,
    edge_url: String,
    edge: Channel,
    http: reqwest::Client,
    mesh: HashMap<(String, String), Channel>,
}

impl<'a> Callers<'a> {
    fn new(stack: &Stack, peers: &[Peer], world: &'a World) -> Self {
        let mut mesh = HashMap::new();
        for peer in peers {
            for workload in CONTRACT.workloads() {
                let channel = peer.channel(stack, &workload);
                mesh.insert((peer.name.clone(), workload), channel);
            }
        }
        let edge_url = stack.edge_url();
        let edge = Endpoint::from_shared(edge_url.clone()).unwrap().connect_lazy();
        Self { world, edge_url, edge, http: reqwest::Client::new(), mesh }
    }

    async fn try_all<'c>(&self, cases: Vec<Case<'c>>) -> Vec<Tried<'c>> {
        let trying = cases.into_iter().map(|case| self.try_one(case));
        futures::stream::iter(trying).buffered(AT_ONCE).collect().await
    }

    async fn try_one<'c>(&self, case: Case<'c>) -> Tried<'c> {
        let answer = tokio::time::timeout(Duration::from_secs(30), self.call(&case)).await;
        let answer = answer.unwrap_or_else(|_| Answer {
            code: Code::DeadlineExceeded,
            http: None,
            reason: String::new(),
            message: "no answer within 30 s".to_owned(),
            body: serde_json::Value::Null,
            unconnected: false,
        });
        let violation = case.expected.violation(case.way, &answer);
        Tried { case, answer, violation }
    }

    async fn call(&self, case: &Case<'_>) -> Answer {
        let key = Uuid::now_v7().to_string();
        let call = Call {
            method: case.method,
            request: &self.world.request(case.method),
            token: case.user.token.as_deref(),
            idempotency_key: (case.method.policy.idempotency_key && case.with_key).then_some(&key),
        };
        match (case.way, case.peer) {
            (Way::Mesh, Some(peer)) => {
                let workload = CONTRACT.methods().find(|(_, m)| m.path == case.method.path);
                let workload = workload.unwrap().0.workload.clone();
                grpc(&self.mesh[&(peer.name.clone(), workload)], &call).await
            }
            (Way::Rest, _) if case.method.http.is_some() => {
                rest(&self.http, &self.edge_url, &call).await
            }
            // A method without a REST form must not get one by its name.
            (Way::Rest, _) => {
                let url = format!("{}{}", self.edge_url, case.method.path);
                let request = self.http.post(url).json(call.request);
                let token = call.token.iter().fold(request, |r, token| r.bearer_auth(token));
                told(token, false).await
            }
            _ => grpc(&self.edge, &call).await,
        }
    }
}
