//! Spans of requests, by OpenTelemetry's conventions for RPC and gRPC
//! (https://opentelemetry.io/docs/specs/semconv/rpc/grpc/).

use http::Request;
use proto::policy::MethodPolicy;
use tonic::Code;
use tonic::body::Body;
use tracing::Span;
use tracing::field::Empty;

/// The span of a request that arrives. The path is bounded by the contract: of others
/// nothing but that they are unknown is told.
pub(crate) fn server(request: &Request<Body>, pages: &[&str]) -> Span {
    let path = request.uri().path();
    let policy = proto::policy::of(path);
    let known = policy.is_some() || crate::access::is_page(pages, path);
    let method = if known { path.trim_start_matches('/') } else { "_OTHER" };
    let span = tracing::info_span!(
        "rpc",
        otel.name = method,
        otel.kind = "server",
        otel.status_code = Empty,
        rpc.system.name = "grpc",
        rpc.method = method,
        rpc.response.status_code = Empty,
        error.type = Empty,
        rpc.peer = Empty,
        mesh.from = Empty,
        mesh.stranger = Empty,
    );
    let parent = request.headers().get("traceparent").and_then(|v| v.to_str().ok());
    telemetry::set_parent(&span, parent);
    span
}

/// The span of a call with all its tries.
pub(crate) fn client(policy: &MethodPolicy, callee: &str) -> Span {
    tracing::info_span!(
        "call",
        otel.name = policy.name(),
        otel.kind = "client",
        otel.status_code = Empty,
        rpc.system.name = "grpc",
        rpc.method = policy.name(),
        rpc.response.status_code = Empty,
        error.type = Empty,
        server.address = callee,
    )
}

/// A server's span is an error where the answer is our fault; what is about the
/// request is not.
pub(crate) fn served(span: &Span, code: Code) {
    let fault = matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    );
    end(span, code, fault);
}

/// To a caller every answer but OK is an error.
pub(crate) fn called(span: &Span, code: Code) {
    end(span, code, code != Code::Ok);
}

fn end(span: &Span, code: Code, failed: bool) {
    let name = name(code);
    span.record("rpc.response.status_code", name);
    if failed {
        telemetry::failed(span, name);
    }
}

/// As `google.rpc.Code` names it.
pub(crate) fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
