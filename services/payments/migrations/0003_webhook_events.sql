-- What providers have told us, stored before it is handled.

create table webhook_events (
    provider text not null,
    event_id text not null,
    type text not null,
    body bytea not null,
    received_at timestamptz not null default now(),
    -- Null: not handled yet; the provider will send it again.
    handled_at timestamptz,
    outcome text,
    constraint webhook_events_pkey primary key (provider, event_id),
    constraint webhook_events_outcome_when_handled
        check ((handled_at is null) = (outcome is null))
);
