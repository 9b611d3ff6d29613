//! Between two releases both run on one schema: what a migration may do to it
//! (docs/operations/upgrade.md).

mod rules;
mod stars;

use std::collections::BTreeMap;
use std::fs;

use crate::tree::{Source, no_complaints, root, sources};

/// The newest migration of each schema in the last release.
const RELEASED: &str = "tests/tidy/released-migrations";

#[test]
fn migrations_since_the_last_release_expand() {
    let released = released();
    let complaints: Vec<_> = migrations()
        .iter()
        .filter(|(dir, version, _)| released.get(dir).is_none_or(|newest| version > newest))
        .flat_map(|(_, _, source)| rules::complaints(&source.path, &source.text))
        .collect();
    no_complaints("the release before cannot live with a migration", &complaints);
}

#[test]
fn what_is_released_is_there() {
    let migrations = migrations();
    let complaints: Vec<_> = released()
        .into_iter()
        .filter(|released| {
            !migrations.iter().any(|(dir, version, _)| (dir, version) == (&released.0, &released.1))
        })
        .map(|(dir, version)| format!("{RELEASED}: {dir} has no migration {version}"))
        .collect();
    no_complaints("a released migration is missing", &complaints);
}

/// One example for each rule, and what is said of it.
const BROKEN: [(&str, &str); 24] = [
    ("drop table carts;", "removes a table"),
    ("drop index orders_user_idx;", "removes an index"),
    ("drop function f(text);", "removes a function"),
    ("drop trigger t on orders;", "removes a trigger"),
    ("alter table orders drop column note;", "removes a column"),
    ("alter table orders drop constraint orders_total_positive;", "removes a constraint"),
    ("alter table orders rename column note to remark;", "renames"),
    ("alter table orders rename to purchases;", "renames"),
    ("alter index orders_user_idx rename to orders_by_user;", "renames"),
    ("alter table orders alter column note type varchar(10);", "changes a column's type"),
    ("alter table orders alter column note set not null;", "demands a value"),
    ("alter table orders alter column note drop not null;", "lets a column be null"),
    ("alter table orders alter column note drop default;", "takes a column's default away"),
    ("alter table orders add column weight integer not null;", "demands a value"),
    ("alter table orders add column token uuid default gen_random_uuid();", "rewrites the table"),
    (
        "alter table orders add column n text generated always as (upper(note)) stored;",
        "rewrites the table",
    ),
    ("alter table orders add column place uuid references places (id);", "looks at every row"),
    ("alter table orders add constraint positive check (total > 0);", "looks at every row"),
    ("alter table orders add constraint one unique (note);", "looks at every row"),
    ("create index orders_note_idx on orders (note);", "locks the table"),
    ("update orders set note = '' where note is null;", "changes rows"),
    ("delete from orders where note is null;", "changes rows"),
    ("create or replace function f() returns integer language sql as $$ select 1 $$;", "replaces"),
    ("alter table orders gibberish;", "cannot be read"),
];

#[test]
fn what_breaks_the_release_before_is_named_with_its_line() {
    for (sql, rule) in BROKEN {
        let found = rules::complaints("0009_x.sql", &format!("-- Why.\n\n{sql}\n"));
        let [complaint] = found.as_slice() else { panic!("{sql}: {found:?}") };
        assert!(complaint.starts_with("0009_x.sql:3: "), "{complaint}");
        assert!(complaint.contains(rule), "{sql}: {complaint}");
    }
}

#[test]
fn an_index_is_made_concurrently_outside_of_a_transaction_and_alone() {
    let index = "create index concurrently orders_note_idx on orders (note);";
    assert_eq!(rules::complaints("x.sql", &format!("-- no-transaction\n{index}")), [""; 0]);
    let inside = rules::complaints("x.sql", index);
    assert!(inside[0].contains("-- no-transaction"), "{inside:?}");
    let beside = rules::complaints("x.sql", &format!("-- no-transaction\n{index}\n{index}"));
    assert!(beside[0].contains("alone"), "{beside:?}");
}

#[test]
fn what_expands_pleases() {
    let sql = "
        create table parcels (id uuid primary key, weight integer not null check (weight > 0));
        create index parcels_weight_idx on parcels (weight);
        alter table parcels add constraint light check (weight < 100);
        insert into parcels values ('018f2f3e-0000-7000-8000-000000000000', 1);
        update parcels set weight = 2;
        alter table orders add column parcel uuid, add column note text not null default '';
        alter table orders add column seen_at timestamptz not null default now();
        alter table orders alter column note set default 'none';
        alter table orders add constraint parcel_fkey foreign key (parcel) references parcels (id) not valid;
        alter table orders validate constraint parcel_fkey;
        create function f() returns trigger language plpgsql as $$ begin return new; end $$;
        create trigger t before insert on orders for each row execute function f();";
    assert_eq!(rules::complaints("x.sql", sql), [""; 0]);
}

#[test]
fn a_reason_with_a_release_lets_a_statement_pass_and_no_other() {
    let drop = "alter table orders drop column note;";
    let reason = "-- contract: 0.2 reads remark in its place, nobody reads note since 0.3\n";
    assert_eq!(rules::complaints("x.sql", &format!("{reason}{drop}")), [""; 0]);
    let two = rules::complaints("x.sql", &format!("{reason}{drop}\n{drop}"));
    assert_eq!(two.len(), 1, "{two:?}");
    assert!(two[0].starts_with("x.sql:3: "), "{two:?}");
    for poor in
        ["-- contract:\n", "-- contract: nobody reads it\n", "-- nobody reads it since 0.3\n"]
    {
        assert_eq!(rules::complaints("x.sql", &format!("{poor}{drop}")).len(), 1, "{poor}");
    }
}

#[test]
fn code_names_the_columns_that_it_reads() {
    let code = ["services", "shared", "tools"].into_iter().flat_map(|dir| sources(dir, "rs"));
    let code: Vec<_> = code.filter(|source| !source.path.contains("/tests/")).collect();
    assert!(!code.is_empty(), "there is no code");
    let complaints: Vec<_> =
        code.iter().flat_map(|source| stars::complaints(&source.path, &source.text)).collect();
    no_complaints("a column that is added would end a prepared statement", &complaints);
}

#[test]
fn a_star_is_named_with_its_line() {
    let starred = [
        "\"select * from stars\"",
        "\"SELECT DISTINCT *\n from stars\"",
        "\"select all * from stars\"",
        "\"select s.*, m.name from stars s join moons m on m.star = s.id\"",
        "\"select m.name, stars . * from stars join moons m on m.star = stars.id\"",
        "\"select id, * from stars\"",
        "\"update moons set phase = $2 where id = $1 returning *\"",
        "\"delete from moons returning id, moons.*\"",
        "r#\"exists (select * from stars)\"#",
        "concat!(\"insert into moons \", values!(), \" returning *\")",
    ];
    for code in starred {
        let found = stars::complaints("x.rs", &format!("//! Why.\n\nquery({code});\n"));
        let [complaint] = found.as_slice() else { panic!("{code}: {found:?}") };
        assert!(complaint.starts_with("x.rs:3: "), "{code}: {complaint}");
    }
    let named = [
        "\"select count(*), price * 2, count ( * ) from stars\"",
        "\"select a.price * b.pieces from a join b on b.id = a.id\"",
        "\"select exists (select 1 from stars)\"",
        "\"spec.containers.*.value\"",
        "\"*\"",
        "\"Why\"); // never \"select * from anything\"",
    ];
    for code in named {
        assert_eq!(stars::complaints("x.rs", &format!("query({code});\n")), [""; 0], "{code}");
    }
}

/// Every migration with its directory and its version.
fn migrations() -> Vec<(String, u64, Source)> {
    let all = sources(".", "sql").into_iter().filter_map(|source| {
        let (dir, name) = source.path.rsplit_once('/')?;
        let version = name.split_once('_')?.0.parse().ok()?;
        let dir = dir.contains("/migrations").then(|| dir.to_owned())?;
        Some((dir, version, source))
    });
    let all: Vec<_> = all.collect();
    assert!(!all.is_empty(), "there are no migrations");
    all
}

/// The newest released version, by directory.
fn released() -> BTreeMap<String, u64> {
    let text = fs::read_to_string(root().join(RELEASED)).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let entry = |line: &str| {
        let (dir, version) = line.split_once(' ').unwrap();
        (dir.to_owned(), version.parse().unwrap())
    };
    lines.map(entry).collect()
}
