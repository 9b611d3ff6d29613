-- Facts whose effect is committed: written in the transaction of the effect.
create table inbox (
    consumer text not null,
    event_id uuid not null,
    received_at timestamptz not null default now(),
    constraint inbox_pk primary key (consumer, event_id)
);

-- for deleting old rows; rows are appended, so a block range index is enough
create index inbox_received_idx on inbox using brin (received_at);
