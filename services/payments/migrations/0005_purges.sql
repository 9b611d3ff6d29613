-- What is kept for a while only, and webhooks that are handled again from here.

alter table webhook_events add column check_at timestamptz;
update webhook_events set check_at = now() where handled_at is null;
alter table webhook_events alter column check_at set default now() + interval '30 seconds';

create index webhook_events_check_at_idx on webhook_events (check_at) where handled_at is null;
create index webhook_events_handled_at_idx on webhook_events (handled_at)
    where handled_at is not null;

-- The key is forgotten after a while; who asked is not.
alter table refunds drop constraint refunds_key_with_user;
alter table refunds add constraint refunds_key_with_user
    check (requested_by is not null or idempotency_key is null);

create index refunds_idempotency_key_age_idx on refunds (updated_at)
    where idempotency_key is not null;
