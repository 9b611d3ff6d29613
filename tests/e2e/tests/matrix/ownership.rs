//! What belongs to somebody does not exist for anybody else: for every method that names
//! an owned resource, over every way in, without telling it from what never was, and
//! without anything being changed.

use contract::{EDGE, Method, Resource};
use futures::StreamExt;
use serde_json::{Value, json};
use tonic::Code;
use tonic::transport::{Channel, Endpoint};
use uuid::Uuid;

use super::expected::Way;
use super::{AT_ONCE, evidence, peers};
use crate::dynamic::{Answer, Call, grpc, rest};
use crate::parity::CONTRACT;
use crate::platform::{Platform, alone_on_platform};
use e2e::world::{ENTITLEMENTS, World};

/// The three ways to a method.
struct Ways {
    http: reqwest::Client,
    edge_url: String,
    edge: Channel,
    mesh: Channel,
}

impl Ways {
    fn to(platform: &Platform, workload: &str) -> Self {
        let edge_url = platform.stack.edge_url();
        let peers = peers::all(&platform.stack, &CONTRACT);
        let peer = peers.iter().find(|p| p.name == EDGE).unwrap();
        Self {
            http: reqwest::Client::new(),
            edge: Endpoint::from_shared(edge_url.clone()).unwrap().connect_lazy(),
            edge_url,
            mesh: peer.channel(&platform.stack, workload),
        }
    }

    async fn ask(&self, way: Way, method: &Method, request: &Value, token: &str) -> Answer {
        let key = Uuid::now_v7().to_string();
        let idempotency_key = method.policy.idempotency_key.then_some(key.as_str());
        let call = Call { method, request, token: Some(token), idempotency_key };
        match way {
            Way::Grpc => grpc(&self.edge, &call).await,
            Way::Rest => rest(&self.http, &self.edge_url, &call).await,
            Way::Mesh => grpc(&self.mesh, &call).await,
        }
    }
}

#[test]
fn matrix_what_belongs_to_another_customer_does_not_exist() {
    alone_on_platform(async |platform| {
        let world = World::build(&platform).await;
        let mut cases = Vec::new();
        for (service, method) in CONTRACT.external() {
            for (field, resource) in method.resources().unwrap() {
                if resource.owned {
                    let id = world.resource(&resource.kind, &field).to_owned();
                    let owned = Owned { method, field: field.name().to_owned(), id, resource };
                    cases.push((Ways::to(&platform, &service.workload), owned));
                }
            }
        }
        assert!(!cases.is_empty(), "the contract has no owned resource at all");
        // Strangers first, owners last: an owner's call may change the resource.
        let before = evidence::at_rest(&platform, &CONTRACT, &world).await;
        let strangers = cases.iter().map(|(ways, owned)| owned.try_strangers(ways, &world));
        let mut answers = all(strangers).await;
        let after = evidence::at_rest(&platform, &CONTRACT, &world).await;
        let owners = cases.iter().map(|(ways, owned)| owned.try_owners(ways, &world));
        answers.extend(all(owners).await);
        let asked: usize = answers.iter().map(|(asked, _)| asked).sum();
        let mut violations: Vec<String> = answers.into_iter().flat_map(|(_, v)| v).collect();
        violations.extend(evidence::difference(&before, &after));
        println!(
            "matrix: {} methods with an owned resource, {asked} questions; {} violations",
            cases.len(),
            violations.len()
        );
        assert!(violations.is_empty(), "{}", violations.join("\n"));
    });
}

async fn all(trying: impl Iterator<Item = impl Future<Output = Tried>>) -> Vec<Tried> {
    let trying: Vec<_> = trying.collect();
    futures::stream::iter(trying).buffered(AT_ONCE).collect().await
}

/// How many questions were asked, and what was wrong.
type Tried = (usize, Vec<String>);

/// A field that names what belongs to the customer.
struct Owned {
    method: &'static Method,
    field: String,
    id: String,
    resource: Resource,
}

impl Owned {
    async fn try_strangers(&self, ways: &Ways, world: &World) -> Tried {
        let (mut asked, mut violations) = (0, Vec::new());
        // Whom the method itself is closed to learn nothing either: that is the matrix's.
        let open = |holds: &Holds| {
            let permission = self.method.policy.access.permission.as_deref();
            permission.is_none_or(|permission| holds.permits(permission))
        };
        let strangers = users(world).into_iter();
        let strangers = strangers.filter(|(_, _, holds)| open(holds) && !self.is_seen_by(*holds));
        for (name, token, _) in strangers {
            for way in [Way::Grpc, Way::Rest, Way::Mesh] {
                asked += 2;
                violations.extend(self.hidden(ways, world, way, name, token).await);
            }
        }
        (asked, violations)
    }

    async fn try_owners(&self, ways: &Ways, world: &World) -> Tried {
        let (mut asked, mut violations) = (0, Vec::new());
        let admitted = users(world).into_iter().filter(|(_, _, holds)| self.is_seen_by(*holds));
        let admitted = admitted.map(|(name, token, _)| (name, token));
        for (name, token) in admitted.chain([("owner", world.people.customer.as_str())]) {
            let deletes = self.method.http.as_ref().is_some_and(|http| http.verb == "DELETE");
            let mut deleted = false;
            for way in [Way::Grpc, Way::Rest, Way::Mesh] {
                asked += 1;
                let got = ways.ask(way, self.method, &self.aimed_at(world, &self.id), token).await;
                let ok = got.code == Code::Ok || deleted && got.code == Code::NotFound;
                deleted |= deletes && ok;
                if !ok {
                    violations.push(format!(
                        "{} over {way:?}: the {name} gets {got:?}",
                        self.method.path
                    ));
                }
            }
        }
        (asked, violations)
    }

    /// Asks for another's resource, and for one that never was.
    async fn hidden(
        &self,
        ways: &Ways,
        world: &World,
        way: Way,
        name: &str,
        token: &str,
    ) -> Option<String> {
        let nowhere = Uuid::now_v7().to_string();
        let request = self.aimed_at(world, &self.id);
        let theirs = masked(ways.ask(way, self.method, &request, token).await, &self.id);
        let request = self.aimed_at(world, &nowhere);
        let nothing = masked(ways.ask(way, self.method, &request, token).await, &nowhere);
        let hidden = theirs.code == Code::NotFound && !theirs.reason.is_empty();
        (!hidden || theirs != nothing).then(|| {
            format!(
                "{} over {way:?} as `{name}`: another's {} answers {theirs:?}, one that is not \
                 there {nothing:?}",
                self.method.path, self.field
            )
        })
    }

    fn aimed_at(&self, world: &World, id: &str) -> Value {
        let mut request = world.request(self.method);
        request[&self.field] = json!(id);
        request
    }

    /// Whether the contract lets somebody see everybody's.
    fn is_seen_by(&self, holds: Holds) -> bool {
        let permission = self.resource.seen_by.as_deref();
        permission.is_some_and(|permission| holds.permits(permission))
    }
}

/// Name, token, and role or permissions of everybody but the owner.
fn users(world: &World) -> [(&'static str, &str, Holds); 4] {
    let people = &world.people;
    [
        ("other customer", &people.other, Holds::Role("customer")),
        ("manager", &people.manager, Holds::Role("manager")),
        ("admin", &people.admin, Holds::Role("admin")),
        ("custom role", &people.entitled, Holds::Permissions(&ENTITLEMENTS)),
    ]
}

/// By what somebody may do something.
#[derive(Clone, Copy)]
enum Holds {
    Role(&'static str),
    Permissions(&'static [&'static str]),
}

impl Holds {
    fn permits(self, permission: &str) -> bool {
        match self {
            Self::Role(role) => CONTRACT.holders(permission).contains(&role),
            Self::Permissions(all) => all.contains(&permission),
        }
    }
}

/// Without the id, which both questions may repeat.
fn masked(mut answer: Answer, id: &str) -> Answer {
    answer.message = answer.message.replace(id, "<id>");
    answer.body = serde_json::from_str(&answer.body.to_string().replace(id, "<id>")).unwrap();
    answer
}
