//! Migrations that break the rules, to see that it is noticed.

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::check::Stores;

/// What a migration does to the orders that the release before reads and writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Breaking {
    /// Removes a column that is read.
    DropColumn,
    /// Gives it another name.
    RenameColumn,
    /// Adds one that everybody has to fill in.
    NotNull,
}

impl Breaking {
    pub async fn apply(self, stores: &Stores) -> Result<()> {
        let sql = match self {
            Self::DropColumn => "alter table orders drop column country_code",
            Self::RenameColumn => "alter table sagas rename column next_run_at to due_at",
            Self::NotNull => {
                "alter table order_lines add column weight_grams integer not null default 1;
                 alter table order_lines alter column weight_grams drop default"
            }
        };
        let done = sqlx::raw_sql(sql).execute(&stores.orders).await;
        done.map(drop).with_context(|| sql.to_owned())
    }
}
