-- The ledger: double entry, written with the change that moves the money, never altered.

create table ledger_transactions (
    id uuid not null,
    payment_id uuid not null,
    -- Null: the capture of the payment.
    refund_id uuid,
    created_at timestamptz not null default now(),
    constraint ledger_transactions_pkey primary key (id),
    constraint ledger_transactions_payment_id_fkey
        foreign key (payment_id) references payments (id),
    constraint ledger_transactions_refund_id_fkey foreign key (refund_id) references refunds (id),
    constraint ledger_transactions_refund_id_key unique (refund_id)
);

-- A payment is captured once.
create unique index ledger_transactions_capture_key
    on ledger_transactions (payment_id) where refund_id is null;

create table ledger_entries (
    id bigint generated always as identity,
    transaction_id uuid not null,
    account text not null,
    debit_minor bigint not null default 0,
    credit_minor bigint not null default 0,
    currency text not null,
    constraint ledger_entries_pkey primary key (id),
    constraint ledger_entries_transaction_id_fkey
        foreign key (transaction_id) references ledger_transactions (id),
    constraint ledger_entries_debit_or_credit check (
        (debit_minor > 0 and credit_minor = 0) or (credit_minor > 0 and debit_minor = 0)
    ),
    constraint ledger_entries_currency_form check (currency ~ '^[A-Z]{3}$')
);

create index ledger_entries_transaction_id_idx on ledger_entries (transaction_id);

create function ledger_must_balance() returns trigger language plpgsql as $$
begin
    if exists (
        select from ledger_entries
        where transaction_id = new.transaction_id
        group by currency
        having sum(debit_minor) <> sum(credit_minor)
    ) then
        raise exception 'ledger transaction % does not balance', new.transaction_id
            using errcode = 'check_violation', constraint = 'ledger_entries_balance';
    end if;
    return null;
end
$$;

create constraint trigger ledger_entries_balance
    after insert on ledger_entries
    deferrable initially deferred
    for each row execute function ledger_must_balance();

create function ledger_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'the ledger is append-only; book a correcting transaction instead'
        using errcode = 'restrict_violation';
end
$$;

create trigger ledger_entries_append_only
    before update or delete or truncate on ledger_entries
    for each statement execute function ledger_is_append_only();

create trigger ledger_transactions_append_only
    before update or delete or truncate on ledger_transactions
    for each statement execute function ledger_is_append_only();
