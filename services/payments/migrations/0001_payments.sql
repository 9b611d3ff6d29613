-- Payments and refunds.

create table payments (
    id uuid not null,
    order_id uuid not null,
    user_id uuid not null,
    amount_minor bigint not null,
    currency text not null,
    state text not null,
    provider text not null,
    provider_charge_id text,
    failure_reason text,
    -- Given back.
    refunded_minor bigint not null default 0,
    -- On its way back: promised to refunds that the provider has not answered yet.
    refunding_minor bigint not null default 0,
    -- The provider's token for the customer's means of payment, while it may still be needed.
    token text,
    version bigint not null default 1,
    -- When the provider is asked about it; null when there is nothing to ask.
    check_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint payments_pkey primary key (id),
    constraint payments_order_id_key unique (order_id),
    constraint payments_amount_positive check (amount_minor > 0),
    constraint payments_currency_form check (currency ~ '^[A-Z]{3}$'),
    constraint payments_refunded_within_amount check (refunded_minor between 0 and amount_minor),
    constraint payments_refunding_within_rest
        check (refunding_minor between 0 and amount_minor - refunded_minor),
    constraint payments_token_while_pending check ((state = 'pending') = (token is not null)),
    constraint payments_failure_when_failed
        check ((state = 'failed') = (failure_reason is not null)),
    constraint payments_state_known check (state in (
        'pending', 'authorized', 'captured', 'failed', 'voided', 'partially_refunded', 'refunded'
    ))
);

create index payments_check_at_idx on payments (check_at) where check_at is not null;

-- Orders that were reversed before anything was paid: money must never be taken for them.
create table closed_orders (
    order_id uuid not null,
    closed_at timestamptz not null default now(),
    constraint closed_orders_pkey primary key (order_id)
);

create table refunds (
    id uuid not null,
    payment_id uuid not null,
    -- The user who asked, with the idempotency key they sent; null when an order was reversed.
    requested_by uuid,
    idempotency_key text,
    -- SHA-256 of what was asked for, to tell a repetition from another request.
    fingerprint bytea not null,
    amount_minor bigint not null,
    reason text not null,
    state text not null,
    -- When the provider is asked again; null once it has answered.
    check_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint refunds_pkey primary key (id),
    constraint refunds_payment_id_fkey foreign key (payment_id) references payments (id),
    constraint refunds_requested_by_idempotency_key_key unique (requested_by, idempotency_key),
    constraint refunds_amount_positive check (amount_minor > 0),
    constraint refunds_state_known check (state in ('pending', 'succeeded', 'failed')),
    constraint refunds_check_while_pending check ((state = 'pending') = (check_at is not null)),
    constraint refunds_key_with_user check ((requested_by is null) = (idempotency_key is null))
);

create index refunds_payment_id_idx on refunds (payment_id);
create index refunds_check_at_idx on refunds (check_at) where check_at is not null;
