-- Sagas as operators see them.
create view saga_overview as
select
    sagas.order_id,
    orders.state as order_state,
    sagas.kind,
    sagas.direction,
    sagas.step,
    sagas.status = 'done' as ended,
    sagas.reason,
    sagas.attempts,
    sagas.last_error,
    sagas.started_at,
    sagas.deadline_at,
    sagas.status = 'running' and sagas.deadline_at < now() as overdue,
    case when sagas.status = 'running' then sagas.next_run_at end as next_run_at,
    -- A lease that ran out is nobody's.
    case when sagas.lease_until > now() then sagas.lease_until end as leased_until
from sagas join orders on orders.id = sagas.order_id;
