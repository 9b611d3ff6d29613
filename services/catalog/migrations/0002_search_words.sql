-- Words are found as they are written. PostgreSQL's own parser takes 8e296a for a
-- number and a word, so that who typed it found nothing.

-- The words of a text as lexemes; of a very long word its beginning (a lexeme may
-- have 2,046 bytes).
create function search_lexemes(t text) returns tsvector
    language sql immutable strict parallel safe
    return (
        select coalesce(array_to_tsvector(array_agg(distinct left(word, 255))), '')
        from regexp_split_to_table(search_words(t), ' ') as word
        where word <> ''
    );

-- The index goes with its column.
alter table products drop column search;
alter table products add column search tsvector not null generated always as (
    search_lexemes(name || ' ' || description)
    || to_tsvector('pg_catalog.english', search_words(name || ' ' || description))
) stored;
create index products_search_idx on products using gin (search) where deleted_at is null;
