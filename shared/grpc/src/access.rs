//! Who may call what: the contract's answer, pure.

use proto::policy::{self, Access, MethodPolicy};

use crate::{Peer, Problem, User};

/// Workloads through which people reach the platform.
const DOORS: [&str; 2] = ["edge", "tools"];

/// Services of the platform itself, open to every workload of the mesh.
const PLUMBING: [&str; 3] =
    ["/grpc.health.v1.Health/", "/grpc.reflection.v1.", "/grpc.reflection.v1alpha."];

/// What the gate must do with a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Health and reflection.
    Plumbing,
    /// A method of the contract.
    Method(&'static MethodPolicy),
    /// A page that a service serves beside its methods.
    Page,
}

/// Where pages are: whole paths, or everything below one that ends with `/`.
pub(crate) fn is_page(pages: &[&str], path: &str) -> bool {
    pages.iter().any(|page| path == *page || page.ends_with('/') && path.starts_with(page))
}

/// Pages are for people: they come through the edge.
pub(crate) fn check_page(peer: &Peer) -> Result<(), Problem> {
    match peer.workload.as_str() {
        "edge" => Ok(()),
        _ => Err(Problem::denied("CALLER_NOT_ALLOWED", "pages are served through the edge")),
    }
}

/// The rule for a path. No policy, no call.
pub(crate) fn rule(path: &str) -> Result<Rule, Problem> {
    if PLUMBING.iter().any(|prefix| path.starts_with(prefix)) {
        return Ok(Rule::Plumbing);
    }
    let unknown = || Problem::unimplemented("there is no such method");
    policy::of(path).map(Rule::Method).ok_or_else(unknown)
}

/// Whether a workload may call.
pub(crate) fn check_peer(policy: &MethodPolicy, peer: &Peer) -> Result<(), Problem> {
    let workload = peer.workload.as_str();
    let through_door = policy.access != Access::Internal && DOORS.contains(&workload);
    if through_door || policy.callers.contains(&workload) {
        return Ok(());
    }
    Err(Problem::denied("CALLER_NOT_ALLOWED", "this workload may not call this method"))
}

/// Whether a user may call.
pub(crate) fn check_user(policy: &MethodPolicy, user: Option<&User>) -> Result<(), Problem> {
    let permission = match policy.access {
        Access::Public | Access::Internal => return Ok(()),
        Access::SignedIn => None,
        Access::Permission(permission) => Some(permission),
    };
    let Some(user) = user else {
        return Err(Problem::unauthenticated("UNAUTHENTICATED", "an access token is needed"));
    };
    if permission.is_none_or(|permission| may(user, permission)) {
        return Ok(());
    }
    Err(Problem::denied("PERMISSION_DENIED", "your roles do not allow this"))
}

/// Whether a user sees what belongs to others, too.
pub(crate) fn sees_all(policy: &MethodPolicy, user: Option<&User>) -> bool {
    let (Some(permission), Some(user)) = (policy.seen_by, user) else { return false };
    may(user, permission)
}

/// Whether a user holds a permission of the contract: by a role of the contract, or
/// because a role made by administrators gives it. A claim of what the contract does not
/// have opens nothing: no method asks for it.
fn may(user: &User, permission: &str) -> bool {
    policy::permits(user.roles.iter().map(String::as_str), permission)
        || user.entitlements.iter().any(|entitlement| entitlement == permission)
}

#[cfg(test)]
mod tests {
    use proto::policy::METHODS;
    use tonic::Code;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn pages_are_whole_paths_or_all_below_one_and_come_through_the_edge() {
        let pages = ["/oauth2/", "/.well-known/it"];
        for path in ["/oauth2/token", "/oauth2/a/b", "/.well-known/it"] {
            assert!(is_page(&pages, path), "{path}");
        }
        for path in ["/oauth2", "/oauth2x", "/.well-known/it/more", "/.well-known/i", "/"] {
            assert!(!is_page(&pages, path), "{path}");
        }
        assert!(check_page(&peer("edge")).is_ok());
        assert!(check_page(&peer("tools")).is_err() && check_page(&peer("orders")).is_err());
    }

    fn peer(workload: &str) -> Peer {
        Peer { workload: workload.to_owned() }
    }

    fn user(role: &str) -> User {
        let roles = vec![role.to_owned()];
        User { id: Uuid::nil(), roles, entitlements: Vec::new(), session: None }
    }

    fn entitled(entitlements: &[&str]) -> User {
        let entitlements = entitlements.iter().map(ToString::to_string).collect();
        User { id: Uuid::nil(), roles: Vec::new(), entitlements, session: None }
    }

    #[test]
    fn a_path_without_a_policy_cannot_be_called() {
        let problem = rule("/stoa.orders.v1.OrderService/Nothing").expect_err("refused");
        assert_eq!(problem.code(), Code::Unimplemented);
    }

    #[test]
    fn the_edge_may_call_everything_but_internal_methods() {
        for method in METHODS {
            let allowed = check_peer(method, &peer("edge")).is_ok();
            assert_eq!(allowed, method.access != Access::Internal, "{}", method.path);
        }
    }

    #[test]
    fn a_workload_may_call_only_what_names_it() {
        for method in METHODS {
            let allowed = check_peer(method, &peer("orders")).is_ok();
            assert_eq!(allowed, method.callers.contains(&"orders"), "{}", method.path);
            assert!(check_peer(method, &peer("stranger")).is_err(), "{}", method.path);
        }
    }

    #[test]
    fn anonymous_callers_reach_public_methods_only() {
        for method in METHODS.iter().filter(|m| m.access != Access::Internal) {
            let allowed = check_user(method, None).is_ok();
            assert_eq!(allowed, method.access == Access::Public, "{}", method.path);
        }
    }

    #[test]
    fn a_customer_may_order_but_not_write_the_catalogue() {
        let order = policy::of("/stoa.orders.v1.OrderService/PlaceOrder").expect("exists");
        let write = policy::of("/stoa.catalog.v1.CatalogService/CreateProduct").expect("exists");
        assert!(check_user(order, Some(&user("customer"))).is_ok());
        let denied = check_user(write, Some(&user("customer"))).expect_err("denied");
        assert_eq!(denied.code(), Code::PermissionDenied);
        assert!(check_user(write, Some(&user("manager"))).is_ok());
    }

    #[test]
    fn a_permission_that_stands_in_the_token_opens_its_methods_and_no_others() {
        let user = entitled(&["catalog:write"]);
        for method in METHODS {
            let needs = match method.access {
                Access::Public | Access::Internal | Access::SignedIn => continue,
                Access::Permission(permission) => permission,
            };
            let allowed = check_user(method, Some(&user)).is_ok();
            assert_eq!(allowed, needs == "catalog:write", "{}", method.path);
        }
    }

    #[test]
    fn a_permission_that_does_not_exist_opens_nothing() {
        let made_up = ["*", "catalog:*", "Catalog:write", "catalog:write ", "catalog", "admin", ""];
        for method in METHODS.iter().filter(|m| matches!(m.access, Access::Permission(_))) {
            assert!(check_user(method, Some(&entitled(&made_up))).is_err(), "{}", method.path);
        }
    }

    #[test]
    fn who_holds_the_permission_that_shows_everybodys_sees_it() {
        let method = METHODS.iter().find(|m| m.seen_by.is_some()).expect("one");
        let permission = method.seen_by.expect("it has one");
        assert!(sees_all(method, Some(&entitled(&[permission]))));
        assert!(!sees_all(method, Some(&entitled(&["catalog:write"]))));
        assert!(!sees_all(method, None));
    }
}
