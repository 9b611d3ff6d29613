-- Charges, the answers given to idempotency keys, and webhooks on their way.

create table charges (
    id text collate "C" not null,
    reference text not null,
    amount_minor bigint not null,
    currency text not null,
    state text not null,
    failure_code text,
    refunded_minor bigint not null default 0,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint charges_pkey primary key (id),
    constraint charges_amount_positive check (amount_minor > 0),
    constraint charges_refunded_within_amount check (refunded_minor between 0 and amount_minor),
    constraint charges_currency_form check (currency ~ '^[A-Z]{3}$'),
    constraint charges_state_known check (state in (
        'authorized', 'captured', 'partially_refunded', 'refunded', 'voided', 'declined'
    )),
    constraint charges_failure_when_declined check ((state = 'declined') = (failure_code is not null))
);

create index charges_reference_idx on charges (reference);

-- The row is written before the work begins, so that a second request with the
-- same key waits for the first; status and body are there when it commits.
create table answers (
    key text not null,
    fingerprint bytea not null,
    status smallint,
    body text,
    created_at timestamptz not null default now(),
    constraint answers_pkey primary key (key)
);

-- One row per delivery; due_at is null once nothing is left to do.
create table webhooks (
    id uuid not null,
    body text not null,
    attempts integer not null default 0,
    due_at timestamptz,
    created_at timestamptz not null default now(),
    delivered_at timestamptz,
    constraint webhooks_pkey primary key (id)
);

create index webhooks_due_idx on webhooks (due_at) where due_at is not null;
