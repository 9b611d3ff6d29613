-- Stock, reservations of it, and the trail of its adjustments.

-- Counts change all the time and no index holds them: room in each page lets
-- PostgreSQL update rows in place (HOT).
create table stock (
    product_id uuid constraint stock_pkey primary key,
    available bigint not null constraint stock_available_not_negative check (available >= 0),
    reserved bigint not null constraint stock_reserved_not_negative check (reserved >= 0),
    updated_at timestamptz not null
) with (fillfactor = 70);

-- A row without lines is an order that was released before it was reserved.
create table reservations (
    order_id uuid constraint reservations_pkey primary key,
    state text not null constraint reservations_state_known
        check (state in ('held', 'committed', 'released', 'expired')),
    expires_at timestamptz not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);

create index reservations_held_idx on reservations (expires_at) where state = 'held';

create table reservation_lines (
    order_id uuid not null constraint reservation_lines_order_id_fkey
        references reservations (order_id),
    product_id uuid not null constraint reservation_lines_product_id_fkey
        references stock (product_id),
    quantity bigint not null constraint reservation_lines_quantity_positive check (quantity > 0),
    constraint reservation_lines_pkey primary key (order_id, product_id)
);

-- Who changed which stock by how much, why, and what came of it. Rows are only
-- ever added.
create table adjustments (
    user_id uuid not null,
    idempotency_key text not null,
    product_id uuid not null,
    delta bigint not null,
    reason text not null,
    available bigint not null,
    reserved bigint not null,
    adjusted_at timestamptz not null,
    constraint adjustments_pkey primary key (user_id, idempotency_key)
);

create index adjustments_product_idx on adjustments (product_id, adjusted_at);
