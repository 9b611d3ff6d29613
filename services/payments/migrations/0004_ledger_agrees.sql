-- The ledger agrees with the payments it is about, at every commit.

create index ledger_transactions_payment_id_idx on ledger_transactions (payment_id);
create index ledger_transactions_created_at_idx on ledger_transactions (created_at);
create index payments_created_at_idx on payments (created_at);

-- What is booked for each payment, and whether that is what the payment and its
-- refunds say.
create view payment_accounts as
select p.id as payment_id,
    booked.captured_minor as booked_captured_minor,
    booked.refunded_minor as booked_refunded_minor,
    booked.balances
        and booked.captured_minor = case
            when p.state in ('captured', 'partially_refunded', 'refunded') then p.amount_minor
            else 0
        end
        and booked.refunded_minor = p.refunded_minor
        and given_back.succeeded_minor = p.refunded_minor
        and given_back.pending_minor = p.refunding_minor
        and (p.state = 'refunded') = (p.refunded_minor = p.amount_minor)
        and (p.state = 'partially_refunded')
            = (p.refunded_minor > 0 and p.refunded_minor < p.amount_minor) as agrees
from payments p
cross join lateral (
    select
        coalesce(sum(e.debit_minor) filter (
            where t.refund_id is null and e.account = 'provider_receivable'), 0)::bigint
            as captured_minor,
        coalesce(sum(e.credit_minor) filter (
            where t.refund_id is not null and e.account = 'provider_receivable'), 0)::bigint
            as refunded_minor,
        coalesce(sum(e.debit_minor) = sum(e.credit_minor), true)
            and coalesce(bool_and(e.id is not null and e.currency = p.currency), true)
            as balances
    from ledger_transactions t
    left join ledger_entries e on e.transaction_id = t.id
    where t.payment_id = p.id
) booked
cross join lateral (
    select
        coalesce(sum(r.amount_minor) filter (where r.state = 'succeeded'), 0)::bigint
            as succeeded_minor,
        coalesce(sum(r.amount_minor) filter (where r.state = 'pending'), 0)::bigint
            as pending_minor
    from refunds r
    where r.payment_id = p.id
) given_back;

-- Its argument names the column that holds the payment's id.
create function payment_must_agree_with_ledger() returns trigger language plpgsql as $$
declare
    about uuid := (to_jsonb(new) ->> tg_argv[0])::uuid;
begin
    if exists (select from payment_accounts where payment_id = about and not agrees) then
        raise exception 'payment % and the ledger disagree', about
            using errcode = 'check_violation', constraint = 'payments_agree_with_ledger';
    end if;
    return null;
end
$$;

create constraint trigger payments_agree_with_ledger
    after insert or update of state, amount_minor, currency, refunded_minor, refunding_minor
    on payments
    deferrable initially deferred
    for each row execute function payment_must_agree_with_ledger('id');

create constraint trigger refunds_agree_with_ledger
    after insert or update of state, amount_minor on refunds
    deferrable initially deferred
    for each row execute function payment_must_agree_with_ledger('payment_id');

create constraint trigger ledger_transactions_agree_with_payment
    after insert on ledger_transactions
    deferrable initially deferred
    for each row execute function payment_must_agree_with_ledger('payment_id');
