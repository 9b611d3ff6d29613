-- Categories, products, and the words that products are found by.

create table categories (
    slug text constraint categories_pkey primary key,
    name text collate "und-x-icu" not null
);

insert into categories (slug, name) values
    ('kitchen', 'Kitchen'),
    ('home', 'Home & Living'),
    ('garden', 'Garden'),
    ('outdoor', 'Outdoor & Camping'),
    ('electronics', 'Electronics'),
    ('books', 'Books'),
    ('toys', 'Toys & Games'),
    ('beauty', 'Beauty & Care');

-- A text as lower-case words of letters and digits, one blank between them. The
-- collation is named so that accents fare the same in every database.
create function search_words(t text) returns text
    language sql immutable strict parallel safe
    return regexp_replace(lower(t collate "und-x-icu"), '[^[:alnum:]]+', ' ', 'g');

-- A query that every word must match, by its beginning or by its English stem.
-- Takes any text; null when no word is in it.
create function search_query(q text) returns tsquery
    language sql immutable strict parallel safe
    return (
        select string_agg(
            format('(%L:* | %L)', word, coalesce((ts_lexize('english_stem', word))[1], word)),
            ' & '
        )::tsquery
        from regexp_split_to_table(search_words(q), ' ') as word
        where word <> ''
    );

create table products (
    id uuid constraint products_pkey primary key,
    sku text not null,
    name text not null,
    -- Names sort by their beginning, so that page tokens stay short.
    sort_name text collate "und-x-icu" not null generated always as (left(name, 64)) stored,
    description text not null,
    category text not null constraint products_category_fkey references categories (slug),
    price_minor bigint not null constraint products_price_positive check (price_minor > 0),
    currency text not null,
    image_url text not null,
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    deleted_at timestamptz,
    search tsvector not null generated always as (
        to_tsvector('pg_catalog.simple', search_words(name || ' ' || description))
        || to_tsvector('pg_catalog.english', search_words(name || ' ' || description))
    ) stored
);

-- A removed product frees its SKU.
create unique index products_sku_key on products (sku) where deleted_at is null;
create index products_search_idx on products using gin (search) where deleted_at is null;

-- One index per order, alone and within a category.
create index products_name_idx on products (sort_name, id) where deleted_at is null;
create index products_price_idx on products (price_minor, id) where deleted_at is null;
create index products_created_idx on products (created_at, id) where deleted_at is null;
create index products_category_name_idx on products (category, sort_name, id)
    where deleted_at is null;
create index products_category_price_idx on products (category, price_minor, id)
    where deleted_at is null;
create index products_category_created_idx on products (category, created_at, id)
    where deleted_at is null;
