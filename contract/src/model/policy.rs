//! The options of `stoa.policy.v1`, typed.

use serde::Deserialize;

/// `stoa.policy.v1.MethodPolicy`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Policy {
    pub access: Access,
    #[serde(default)]
    pub deadline_ms: u32,
    pub retry: Option<Retry>,
    pub rate: Option<Rate>,
    pub slo: Option<Slo>,
    #[serde(default)]
    pub idempotency_key: bool,
    pub max_body_bytes: Option<u32>,
    #[serde(default)]
    pub errors: Vec<ErrorCase>,
}

/// `stoa.policy.v1.Error`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ErrorCase {
    /// Name of the `google.rpc.Code`, for example `NOT_FOUND`.
    pub code: String,
    /// `ErrorInfo.reason`.
    pub reason: String,
    /// When it is answered; a clause.
    #[serde(default)]
    pub when: String,
}

/// `stoa.policy.v1.Resource`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Resource {
    #[serde(rename = "type")]
    pub kind: String,
    /// To everybody but its owner it does not exist.
    #[serde(default)]
    pub owned: bool,
    /// A permission whose holders see everybody's.
    pub seen_by: Option<String>,
}

/// `stoa.policy.v1.Needs`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Needs {
    #[serde(default)]
    pub stores: Vec<Store>,
    #[serde(default)]
    pub external: Vec<External>,
}

/// `stoa.policy.v1.Store`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum Store {
    #[serde(rename = "STORE_POSTGRES")]
    Postgres,
    #[serde(rename = "STORE_REDIS")]
    Redis,
}

/// `stoa.policy.v1.External`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct External {
    pub name: String,
    /// TCP.
    pub port: u16,
}

/// `stoa.policy.v1.Access`. Exactly one of the first four is set.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Access {
    pub public: Option<Empty>,
    pub signed_in: Option<Empty>,
    pub permission: Option<String>,
    pub internal: Option<Empty>,
    #[serde(default)]
    pub callers: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Empty {}

/// `stoa.policy.v1.Retry`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Retry {
    #[serde(default)]
    pub attempts: u32,
    #[serde(default)]
    pub per_try_ms: u32,
}

/// `stoa.policy.v1.RateLimit`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rate {
    #[serde(default)]
    pub per_minute: u32,
    #[serde(default)]
    pub burst: u32,
}

/// `stoa.policy.v1.Slo`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Slo {
    #[serde(default)]
    pub availability_bp: u32,
    #[serde(default)]
    pub latency_ms: u32,
}

impl Access {
    /// True when the edge may call.
    pub fn is_external(&self) -> bool {
        self.internal.is_none()
    }

    /// True when a user must be signed in.
    pub fn needs_user(&self) -> bool {
        self.signed_in.is_some() || self.permission.is_some()
    }
}
