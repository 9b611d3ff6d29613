//! `stoactl erasures`: who was erased, and how it is done again after a restore.

use std::io::Read as _;

use anyhow::{Context as _, Result, ensure};
use grpc::MeshChannel;
use prost_types::Timestamp;
use proto::identity::v1::erasure_service_client::ErasureServiceClient;
use proto::identity::v1::{
    Erasure, ListErasuresRequest, ListErasuresResponse, RepeatErasuresRequest,
    RepeatErasuresResponse,
};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::failure::failure;
use crate::output::{Output, moment, table};
use crate::session::Session;

/// What can be done with erasures.
#[derive(clap::Subcommand)]
pub enum Erasures {
    /// Those under way and those that are done, latest request first. Keep the list where
    /// no restore of the platform's databases reaches it.
    List {
        /// Only those that were under way then or later, for example `2026-11-21T00:00:00Z`.
        #[arg(long, value_parser = parse_time)]
        since: Option<OffsetDateTime>,
    },
    /// Erases people everywhere once more: after a restore. What was said about them in
    /// the backup goes again; an account that has come back is closed.
    Repeat {
        /// All that `erasures list` shows since then: the moment of the backup.
        #[arg(long, value_parser = parse_time, conflicts_with = "stdin")]
        since: Option<OffsetDateTime>,
        /// Users' ids from standard input, one at the beginning of each line: a list that
        /// was kept elsewhere.
        #[arg(long)]
        stdin: bool,
        /// Why; kept with your name. Nothing personal of customers.
        #[arg(long)]
        why: String,
    },
}

/// The most that a call takes.
const BATCH: usize = 100;

type Client = ErasureServiceClient<MeshChannel>;

impl Erasures {
    pub async fn run(self, session: &Session, output: &Output) -> Result<()> {
        let mut client = Client::new(session.channel("identity")?);
        match self {
            Self::List { since } => {
                let all = all(&mut client, session, since).await?;
                output.show("stoa.identity.v1.ListErasuresResponse", &all, listed)
            }
            Self::Repeat { since, stdin, why } => {
                ensure!(since.is_some() || stdin, "say whom: --since or --stdin");
                let users = match stdin {
                    true => given()?,
                    false => {
                        let all = all(&mut client, session, since).await?;
                        all.erasures.into_iter().map(|erasure| erasure.user_id).collect()
                    }
                };
                let begun = repeat(&mut client, session, &users, &why).await?;
                output.show("stoa.identity.v1.RepeatErasuresResponse", &begun, repeated)
            }
        }
    }
}

/// Page after page.
async fn all(
    client: &mut Client,
    session: &Session,
    since: Option<OffsetDateTime>,
) -> Result<ListErasuresResponse> {
    let start_time = since.map(|t| Timestamp { seconds: t.unix_timestamp(), nanos: 0 });
    let mut all = ListErasuresResponse::default();
    loop {
        let page_token = std::mem::take(&mut all.next_page_token);
        let page_size = i32::try_from(BATCH)?;
        let request = session.request(ListErasuresRequest { start_time, page_size, page_token })?;
        let page = client.list_erasures(request).await.map_err(failure)?.into_inner();
        all.erasures.extend(page.erasures);
        if page.next_page_token.is_empty() {
            return Ok(all);
        }
        all.next_page_token = page.next_page_token;
    }
}

async fn repeat(
    client: &mut Client,
    session: &Session,
    users: &[String],
    why: &str,
) -> Result<RepeatErasuresResponse> {
    let mut begun = RepeatErasuresResponse::default();
    for batch in users.chunks(BATCH) {
        let (user_ids, reason) = (batch.to_vec(), why.to_owned());
        let request = session.request(RepeatErasuresRequest { user_ids, reason })?;
        let answer = client.repeat_erasures(request).await.map_err(failure);
        let answer = answer.with_context(|| format!("{} were begun", begun.erasure_count))?;
        let RepeatErasuresResponse { erasure_count, account_count } = answer.into_inner();
        begun.erasure_count += erasure_count;
        begun.account_count += account_count;
    }
    Ok(begun)
}

fn given() -> Result<Vec<String>> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    Ok(ids(&text))
}

/// The first word of each line, each once; a table's header is none.
fn ids(text: &str) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for word in text.lines().filter_map(|line| line.split_whitespace().next()) {
        if word != "USER" && !ids.iter().any(|known| known == word) {
            ids.push(word.to_owned());
        }
    }
    ids
}

fn parse_time(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &Rfc3339).map_err(|e| e.to_string())
}

fn listed(all: &ListErasuresResponse) -> String {
    if all.erasures.is_empty() {
        return "nobody was erased".to_owned();
    }
    let row = |erasure: &Erasure| {
        let Erasure { user_id, request_time, finish_time } = erasure;
        let finished = finish_time.as_ref().map(|at| moment(Some(at)));
        let finished = finished.unwrap_or_else(|| "under way".to_owned());
        [user_id.clone(), moment(request_time.as_ref()), finished]
    };
    table(["USER", "CLOSED", "ERASED"], all.erasures.iter().map(row).collect())
}

fn repeated(answer: &RepeatErasuresResponse) -> String {
    let RepeatErasuresResponse { erasure_count, account_count } = answer;
    format!(
        "{erasure_count} begun, {account_count} of them accounts that had come back; \
         `stoactl erasures list` shows when they are done"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_was_printed_can_be_read_again() {
        let erasure = |id: &str| Erasure { user_id: id.to_owned(), ..Default::default() };
        let erasures = vec![erasure("one"), erasure("two")];
        let text = listed(&ListErasuresResponse { erasures, ..Default::default() });
        assert!(text.starts_with("USER  CLOSED  ERASED\none           under way"), "{text}");
        assert_eq!(ids(&format!("{text}\n\none\n")), ["one", "two"]);
        assert_eq!(listed(&ListErasuresResponse::default()), "nobody was erased");
    }
}
