//! Where a request came from.

use axum::http::HeaderMap;
use grpc::Caller;
use tonic::Request;

use crate::domain::Origin;

/// The workload whose word about client addresses counts.
const EDGE: &str = "edge";
/// What is kept of a client's own description.
const LONGEST_USER_AGENT: usize = 200;

/// Of a request that passed the gate.
pub(super) fn origin<T>(request: &Request<T>) -> Origin {
    let from_edge = Caller::of(request).is_ok_and(|caller| caller.peer.workload == EDGE);
    origin_of(request.metadata().as_ref(), from_edge)
}

/// The edge says which address it takes a client for, whatever the client says.
pub fn origin_of(headers: &HeaderMap, from_edge: bool) -> Origin {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let address = header("x-client-address").filter(|_| from_edge).map(str::trim);
    let agent = header("user-agent").unwrap_or_default();
    Origin {
        address: address.filter(|address| !address.is_empty()).map(str::to_owned),
        user_agent: agent.chars().take(LONGEST_USER_AGENT).collect(),
    }
}
