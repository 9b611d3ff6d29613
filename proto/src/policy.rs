//! The law of every method, as compiled from the contract.

use std::time::Duration;

use tonic::Code;

include!("gen/policy.rs");

/// Everything the platform enforces for one method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MethodPolicy {
    /// For example `/stoa.orders.v1.OrderService/PlaceOrder`.
    pub path: &'static str,
    /// The workload that serves it.
    pub workload: &'static str,
    /// Who may call.
    pub access: Access,
    /// Workloads that may call, in addition to the edge and internal tools.
    pub callers: &'static [&'static str],
    /// The longest it may take.
    pub deadline: Duration,
    /// Absent: never retried.
    pub retry: Option<Retry>,
    /// Absent: the edge's default.
    pub rate: Option<Rate>,
    /// Absent: not measured against a promise.
    pub slo: Option<Slo>,
    /// The caller must send an `Idempotency-Key`.
    pub idempotency_key: bool,
    /// It may be called again with the same effect.
    pub idempotent: bool,
    /// It answers a stream.
    pub server_streaming: bool,
    /// The permission whose holders see everybody's, where it names what has an owner.
    pub seen_by: Option<&'static str>,
    /// Errors of its own, beside [`PLATFORM_ERRORS`].
    pub errors: &'static [ErrorCase],
}

/// An error that a method may answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorCase {
    pub code: Code,
    /// `ErrorInfo.reason`.
    pub reason: &'static str,
}

/// Which users may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// Anybody who is signed in.
    SignedIn,
    /// Users whose roles hold the permission.
    Permission(&'static str),
    /// None: only the workloads in `callers`.
    Internal,
}

/// A retry rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Retries after the first try.
    pub attempts: u32,
    /// The longest one try may take.
    pub per_try: Duration,
}

/// A token bucket per client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests per minute.
    pub per_minute: u32,
    /// How many may come at once.
    pub burst: u32,
}

/// A service level objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slo {
    /// Good answers per 10,000 requests.
    pub availability_bp: u32,
    /// The time within which 99 % are answered.
    pub latency: Duration,
}

/// A named set of permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Role {
    /// As in the token's `roles` claim.
    pub name: &'static str,
    /// Everything it may do, included roles resolved; sorted.
    pub permissions: &'static [&'static str],
}

/// The policy of a method by its gRPC path.
pub fn of(path: &str) -> Option<&'static MethodPolicy> {
    METHODS.binary_search_by(|m| m.path.cmp(path)).ok().map(|i| &METHODS[i])
}

impl MethodPolicy {
    /// As OpenTelemetry names it (`rpc.method`): `stoa.orders.v1.OrderService/PlaceOrder`.
    pub fn name(&self) -> &'static str {
        self.path.trim_start_matches('/')
    }

    /// Whether the contract lets the method answer this error.
    pub fn may_answer(&self, code: Code, reason: &str) -> bool {
        let all = self.errors.iter().chain(PLATFORM_ERRORS);
        all.into_iter().any(|e| e.code == code && e.reason == reason)
    }
}

/// A role by its name.
pub fn role(name: &str) -> Option<&'static Role> {
    ROLES.iter().find(|r| r.name == name)
}

/// True when one of the roles holds the permission. Unknown roles hold none.
pub fn permits<'a>(roles: impl IntoIterator<Item = &'a str>, permission: &str) -> bool {
    roles.into_iter().filter_map(role).any(|r| r.permissions.contains(&permission))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_is_found_by_its_path_and_an_unknown_one_is_not() {
        for method in METHODS {
            assert_eq!(of(method.path), Some(method));
        }
        assert_eq!(of("/stoa.orders.v1.OrderService/Nothing"), None);
    }

    #[test]
    fn a_method_answers_its_own_errors_and_the_platforms() {
        let place = of("/stoa.orders.v1.OrderService/PlaceOrder").expect("exists");
        assert!(place.may_answer(Code::FailedPrecondition, "CART_EMPTY"));
        assert!(place.may_answer(Code::Unauthenticated, "TOKEN_INVALID"));
        assert!(!place.may_answer(Code::NotFound, "CART_EMPTY"));
        assert!(!place.may_answer(Code::NotFound, "ORDER_NOT_FOUND"));
    }

    #[test]
    fn a_more_powerful_role_holds_the_permissions_of_those_below() {
        assert!(permits(["customer"], "orders:create"));
        assert!(permits(["admin"], "orders:create"));
        assert!(!permits(["customer"], "catalog:write"));
        assert!(!permits(["nobody"], "orders:create"));
    }
}
