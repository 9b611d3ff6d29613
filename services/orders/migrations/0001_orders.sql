-- Orders, the keys that make placing them idempotent, and the sagas that carry
-- them through checkout and cancellation.

create table orders (
    id uuid not null,
    user_id uuid not null,
    state text not null,
    currency text not null,
    -- Minor currency units.
    total_minor bigint not null,
    recipient text not null,
    street text not null,
    city text not null,
    postal_code text not null,
    country_code text not null,
    payment_id uuid,
    failure_reason text,
    -- Counts the changes of the order.
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint orders_pkey primary key (id),
    constraint orders_state_known check (
        state in ('pending', 'confirmed', 'failed', 'cancelling', 'cancelled', 'shipped', 'delivered')
    ),
    constraint orders_total_not_negative check (total_minor >= 0),
    constraint orders_undone_with_reason check (
        (state in ('failed', 'cancelling', 'cancelled')) = (failure_reason is not null)
    )
);

-- A customer's orders, newest first: ids are UUIDv7.
create index orders_by_user on orders (user_id, id desc);

create table order_lines (
    order_id uuid not null,
    position integer not null,
    product_id uuid not null,
    name text not null,
    quantity integer not null,
    -- Minor units of the order's currency.
    unit_price_minor bigint not null,
    constraint order_lines_pkey primary key (order_id, position),
    constraint order_lines_order_fkey foreign key (order_id) references orders (id),
    constraint order_lines_quantity_positive check (quantity > 0),
    constraint order_lines_price_not_negative check (unit_price_minor >= 0)
);

create table idempotency_keys (
    user_id uuid not null,
    key text not null,
    -- SHA-256 of the request.
    fingerprint bytea not null,
    order_id uuid not null,
    constraint idempotency_keys_pkey primary key (user_id, key),
    constraint idempotency_keys_order_fkey foreign key (order_id) references orders (id)
);

-- One saga per order: its checkout, and later perhaps its cancellation.
create table sagas (
    order_id uuid not null,
    kind text not null,
    direction text not null,
    step text not null,
    status text not null,
    -- Why the order goes backward.
    reason text,
    -- Needed to pay; gone as soon as that is done or given up.
    payment_token text,
    payment_id uuid,
    -- Failed tries of the current step.
    attempts integer not null,
    last_error text,
    next_run_at timestamptz not null,
    -- Who drives the saga. Nobody else may write while the owner stands here.
    lease_owner uuid,
    lease_until timestamptz,
    -- Counts the writes; every write names the one it follows.
    version bigint not null,
    started_at timestamptz not null,
    deadline_at timestamptz not null,
    constraint sagas_pkey primary key (order_id),
    constraint sagas_order_fkey foreign key (order_id) references orders (id),
    constraint sagas_kind_known check (kind in ('checkout', 'cancel')),
    constraint sagas_direction_known check (direction in ('forward', 'backward')),
    constraint sagas_step_known check (step in ('reserve', 'pay', 'confirm', 'settle')),
    constraint sagas_status_known check (status in ('running', 'done')),
    constraint sagas_backward_with_reason check ((direction = 'backward') = (reason is not null)),
    constraint sagas_lease_whole check ((lease_owner is null) = (lease_until is null)),
    constraint sagas_token_only_to_pay check (
        payment_token is null
        or (status = 'running' and direction = 'forward' and step in ('reserve', 'pay'))
    )
);

create index sagas_due on sagas (next_run_at) where status = 'running';
