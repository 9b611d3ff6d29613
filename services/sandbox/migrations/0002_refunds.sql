-- Each refund by itself, and what the lists and the purge look for.

create table refunds (
    id text collate "C" not null,
    charge_id text collate "C" not null,
    -- The client's own id for it.
    reference text,
    amount_minor bigint not null,
    created_at timestamptz not null default now(),
    constraint refunds_pkey primary key (id),
    constraint refunds_charge_id_fkey foreign key (charge_id) references charges (id),
    constraint refunds_amount_positive check (amount_minor > 0)
);

create index refunds_reference_idx on refunds (reference);
create index refunds_charge_id_idx on refunds (charge_id);
create index refunds_created_at_idx on refunds (created_at);
create index charges_created_at_idx on charges (created_at);
create index answers_created_at_idx on answers (created_at);
create index webhooks_done_idx on webhooks (created_at) where due_at is null;
