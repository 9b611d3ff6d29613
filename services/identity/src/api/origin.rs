//! Where a request came from.

use grpc::Caller;
use tonic::Request;

use crate::domain::Origin;

/// The workload whose word about client addresses counts.
const EDGE: &str = "edge";
/// What is kept of a client's own description.
const LONGEST_USER_AGENT: usize = 200;

/// The edge writes the address that it saw behind what the client claims to be.
pub(super) fn origin<T>(request: &Request<T>) -> Origin {
    let header = |name| request.metadata().get(name).and_then(|value| value.to_str().ok());
    let from_edge = Caller::of(request).is_ok_and(|caller| caller.peer.workload == EDGE);
    let forwarded = header("x-forwarded-for").filter(|_| from_edge);
    let address = forwarded.and_then(|all| all.rsplit(',').next()).map(str::trim);
    let agent = header("user-agent").unwrap_or_default();
    Origin {
        address: address.filter(|address| !address.is_empty()).map(str::to_owned),
        user_agent: agent.chars().take(LONGEST_USER_AGENT).collect(),
    }
}
