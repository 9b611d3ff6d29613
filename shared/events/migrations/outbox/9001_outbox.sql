-- Facts that were decided and may still have to be published.
create table outbox (
    -- the order of publishing; facts of one key never overtake each other
    position bigint generated always as identity,
    id uuid not null,
    topic text not null,
    key text not null,
    schema text not null,
    payload bytea not null,
    traceparent text,
    created_at timestamptz not null default now(),
    -- when the broker confirmed it
    sent_at timestamptz,
    constraint outbox_pk primary key (position)
);

create index outbox_unsent_idx on outbox (position) where sent_at is null;
-- for deleting old rows; rows are appended, so a block range index is enough
create index outbox_created_idx on outbox using brin (created_at);
