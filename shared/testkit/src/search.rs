//! Whether something stands anywhere in a database: in any column of any table.

use sqlx::{AssertSqlSafe, PgPool};

/// Where any of the values stands: `<table>: <value>`. Text is found in either case,
/// and also within bytes, as in an encoded message; an id in all its forms.
pub async fn places_of(pool: &PgPool, values: &[String]) -> Vec<String> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select format('%I.%I', table_schema, table_name) from information_schema.tables
         where table_type = 'BASE TABLE'
             and table_schema not in ('pg_catalog', 'information_schema')
         order by 1",
    )
    .fetch_all(pool)
    .await
    .expect("the tables");
    let mut found = Vec::new();
    for table in &tables {
        for value in values {
            // The name comes from the catalogue, quoted.
            let search = format!(
                "select exists (select from {table} as line, unnest($1::text[]) as form
                     where strpos(lower(line::text), form) > 0)"
            );
            let stands: bool = sqlx::query_scalar(AssertSqlSafe(search))
                .bind(forms(value))
                .fetch_one(pool)
                .await
                .expect("a table that can be searched");
            if stands {
                found.push(format!("{table}: {value}"));
            }
        }
    }
    found
}

/// As a row's text shows it, in lower case: bytes are written in hexadecimal.
fn forms(value: &str) -> Vec<String> {
    let hex = |text: &str| text.bytes().map(|b| format!("{b:02x}")).collect::<String>();
    let lower = value.to_lowercase();
    let mut forms = vec![hex(value), hex(&lower), lower];
    if uuid::Uuid::try_parse(value).is_ok() {
        // Also the sixteen bytes themselves.
        let plain = value.to_lowercase().replace('-', "");
        forms.extend([hex(&plain), plain]);
    }
    forms
}

#[tokio::test]
async fn a_value_is_found_in_text_bytes_and_documents_and_nothing_else_is() {
    let database = crate::database(&[]).await;
    let id = "0199b0a4-6f4e-7c0a-8d7c-5a3f2b1c0d9e";
    for statement in [
        "create table texts (line text)",
        "create table bytes (line bytea)",
        "create table documents (line jsonb)",
        "create table ids (id uuid)",
        "create table others (line text)",
        "insert into texts values ('… Zanzibar-7F …')",
        "insert into bytes values (convert_to('xZanzibar-7fy', 'utf8'))",
        "insert into documents values ('{\"a\": [\"zanzibar-7f\"]}')",
        "insert into ids values ('0199b0a4-6f4e-7c0a-8d7c-5a3f2b1c0d9e')",
        "insert into bytes values ('\\x0199b0a46f4e7c0a8d7c5a3f2b1c0d9e')",
        "insert into others values ('Zanzibar')",
    ] {
        sqlx::query(statement).execute(&database.pool).await.unwrap();
    }
    let found = places_of(&database.pool, &["Zanzibar-7f".to_owned()]).await;
    let all = ["public.bytes", "public.documents", "public.texts"];
    assert_eq!(found, all.map(|table| format!("{table}: Zanzibar-7f")));
    let found = places_of(&database.pool, &[id.to_owned()]).await;
    assert_eq!(found, ["public.bytes", "public.ids"].map(|table| format!("{table}: {id}")));
}
