//! `stoactl keys`, `stoactl audit` and `stoactl token`: what tokens are signed with, what
//! happened to accounts, and whether a token is good.

use std::io::Read as _;

use anyhow::{Result, bail};
use grpc::MeshChannel;
use proto::identity::v1::security_service_client::SecurityServiceClient;
use proto::identity::v1::{
    AuditLogVerification, IntrospectTokenRequest, ListSecurityEventsRequest,
    ListSecurityEventsResponse, ListSigningKeysRequest, ListSigningKeysResponse,
    RotateSigningKeysRequest, SecurityEvent, SigningKey, TokenIntrospection, VerifyAuditLogRequest,
};

use crate::failure::failure;
use crate::output::{Output, facts, moment, table, word};
use crate::session::Session;

/// What can be done with signing keys.
#[derive(clap::Subcommand)]
pub enum Keys {
    /// The keys that access tokens are or were signed with, newest first.
    List,
    /// Makes a new key: published at once, it signs when everybody has it.
    Rotate {
        /// Why; kept with your name.
        #[arg(long)]
        why: String,
    },
}

/// What can be done with the log of security events.
#[derive(clap::Subcommand)]
pub enum Audit {
    /// Follows the chain of hashes through the whole log. Fails when it was changed.
    Verify,
    /// The events of an account, newest first.
    Events {
        /// The account's id.
        user_id: String,
    },
}

/// What can be done with tokens.
#[derive(clap::Subcommand)]
pub enum Token {
    /// Whether an access or refresh token, read from standard input, is good now.
    Introspect,
}

const PAGE: i32 = 100;

type Client = SecurityServiceClient<MeshChannel>;

fn client(session: &Session) -> Result<Client> {
    Ok(Client::new(session.channel("identity")?))
}

impl Keys {
    pub async fn run(self, session: &Session, output: &Output) -> Result<()> {
        let mut client = client(session)?;
        match self {
            Self::List => {
                let request = session.request(ListSigningKeysRequest {})?;
                let answer = client.list_signing_keys(request).await.map_err(failure)?;
                let name = "stoa.identity.v1.ListSigningKeysResponse";
                output.show(name, &answer.into_inner(), keys)
            }
            Self::Rotate { why: reason } => {
                let request = session.request(RotateSigningKeysRequest { reason })?;
                let answer = client.rotate_signing_keys(request).await.map_err(failure)?;
                output.show("stoa.identity.v1.SigningKey", &answer.into_inner(), |key| {
                    format!("{} signs from {}", key.kid, moment(key.sign_time.as_ref()))
                })
            }
        }
    }
}

impl Audit {
    pub async fn run(self, session: &Session, output: &Output) -> Result<()> {
        let mut client = client(session)?;
        match self {
            Self::Verify => {
                let request = session.request(VerifyAuditLogRequest {})?;
                let answer = client.verify_audit_log(request).await.map_err(failure)?.into_inner();
                output.show("stoa.identity.v1.AuditLogVerification", &answer, verified)?;
                match answer.intact {
                    true => Ok(()),
                    false => bail!("the log was changed at entry {}", answer.broken_sequence),
                }
            }
            Self::Events { user_id } => {
                let all = all_events(&mut client, session, user_id).await?;
                output.show("stoa.identity.v1.ListSecurityEventsResponse", &all, events)
            }
        }
    }
}

impl Token {
    pub async fn run(self, session: &Session, output: &Output) -> Result<()> {
        let Self::Introspect = self;
        let mut token = String::new();
        std::io::stdin().read_to_string(&mut token)?;
        let request = IntrospectTokenRequest { token: token.trim().to_owned() };
        let answer = client(session)?.introspect_token(session.request(request)?).await;
        let answer = answer.map_err(failure)?.into_inner();
        output.show("stoa.identity.v1.TokenIntrospection", &answer, introspected)
    }
}

/// Page after page.
async fn all_events(
    client: &mut Client,
    session: &Session,
    user_id: String,
) -> Result<ListSecurityEventsResponse> {
    let mut all = ListSecurityEventsResponse::default();
    loop {
        let page_token = std::mem::take(&mut all.next_page_token);
        let user_id = user_id.clone();
        let request = ListSecurityEventsRequest { user_id, page_size: PAGE, page_token };
        let page = client.list_security_events(session.request(request)?).await.map_err(failure)?;
        let ListSecurityEventsResponse { events, next_page_token } = page.into_inner();
        all.events.extend(events);
        if next_page_token.is_empty() {
            return Ok(all);
        }
        all.next_page_token = next_page_token;
    }
}

fn keys(all: &ListSigningKeysResponse) -> String {
    let row = |key: &SigningKey| {
        [
            key.kid.clone(),
            word(key.state().as_str_name(), "SIGNING_KEY_STATE"),
            moment(key.create_time.as_ref()),
            moment(key.sign_time.as_ref()),
            moment(key.retire_time.as_ref()),
        ]
    };
    table(
        ["KEY", "STATE", "MADE", "SIGNS FROM", "PUBLISHED UNTIL"],
        all.keys.iter().map(row).collect(),
    )
}

fn events(all: &ListSecurityEventsResponse) -> String {
    if all.events.is_empty() {
        return "no events".to_owned();
    }
    let row = |event: &SecurityEvent| {
        let SecurityEvent { sequence, kind, time, client_address, detail } = event.clone();
        [sequence.to_string(), moment(time.as_ref()), kind, client_address, detail]
    };
    table(["ENTRY", "WHEN", "WHAT", "FROM", "EXACTLY"], all.events.iter().map(row).collect())
}

fn verified(answer: &AuditLogVerification) -> String {
    let AuditLogVerification { intact, entry_count, broken_sequence, head } = answer;
    match intact {
        true => format!("intact: {entry_count} entries\nhead: {head}"),
        false => format!("{entry_count} entries fit; entry {broken_sequence} does not"),
    }
}

fn introspected(answer: &TokenIntrospection) -> String {
    if !answer.active {
        return "not active".to_owned();
    }
    let at = |seconds| moment(Some(&prost_types::Timestamp { seconds, nanos: 0 }));
    facts(&[
        ("active", answer.token_type.replace('_', " ")),
        ("user", answer.sub.clone()),
        ("session", answer.sid.clone()),
        ("roles", answer.roles.join(", ")),
        ("and permissions", answer.entitlements.join(", ")),
        ("issued", at(answer.iat)),
        ("expires", at(answer.exp)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_was_changed_is_told_where() {
        let mut answer = AuditLogVerification { entry_count: 7, ..Default::default() };
        answer.broken_sequence = 8;
        assert_eq!(verified(&answer), "7 entries fit; entry 8 does not");
        let answer = AuditLogVerification { intact: true, head: "ab".to_owned(), ..answer };
        assert_eq!(verified(&answer), "intact: 7 entries\nhead: ab");
    }

    #[test]
    fn of_a_token_that_is_not_active_nothing_else_is_said() {
        assert_eq!(introspected(&TokenIntrospection::default()), "not active");
        let answer = TokenIntrospection { active: true, exp: 1_795_273_445, ..Default::default() };
        let last = introspected(&answer).lines().last().map(str::to_owned).unwrap_or_default();
        let words: Vec<&str> = last.split_whitespace().collect();
        assert_eq!(words, ["expires", "2026-11-21T15:04:05Z"]);
    }
}
