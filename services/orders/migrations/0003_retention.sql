-- What may be forgotten, and when.

alter table idempotency_keys add column created_at timestamptz not null default now();

-- for deleting old rows; rows are appended, so a block range index is enough
create index idempotency_keys_created_idx on idempotency_keys using brin (created_at);

-- Sagas that ended with nothing taken, by the time of their last write. Those that
-- ended forward stay with their order, which may still be cancelled.
create index sagas_undone_idx on sagas (next_run_at)
    where status = 'done' and direction = 'backward';
