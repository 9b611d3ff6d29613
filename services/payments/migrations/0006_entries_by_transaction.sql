-- The same view; a payment's entries are looked up by their transactions. A planner
-- that knows nothing of the tables yet read all entries for every commit.

create or replace view payment_accounts as
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
        coalesce(sum(one.captured_minor), 0)::bigint as captured_minor,
        coalesce(sum(one.refunded_minor), 0)::bigint as refunded_minor,
        coalesce(sum(one.debit_minor) = sum(one.credit_minor), true)
            and coalesce(bool_and(one.whole), true) as balances
    from ledger_transactions t
    cross join lateral (
        -- Never folded into the join outside: the sum keeps it apart.
        select
            sum(e.debit_minor) as debit_minor,
            sum(e.credit_minor) as credit_minor,
            sum(e.debit_minor) filter (
                where t.refund_id is null and e.account = 'provider_receivable')
                as captured_minor,
            sum(e.credit_minor) filter (
                where t.refund_id is not null and e.account = 'provider_receivable')
                as refunded_minor,
            coalesce(bool_and(e.currency = p.currency), false) as whole
        from ledger_entries e
        where e.transaction_id = t.id
    ) one
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
