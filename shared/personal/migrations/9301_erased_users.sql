-- Who was erased, by id and nothing else: for as long as a token of theirs or a fact
-- about them may still be on its way, nothing new about them is taken on.
create table erased_users (
    user_id uuid not null,
    erased_at timestamptz not null default now(),
    constraint erased_users_pk primary key (user_id)
);

-- for deleting old rows
create index erased_users_erased_idx on erased_users (erased_at);

-- Until the transaction ends nobody erases the person. Whoever asks whether that was
-- done already has to ask in a later statement: one sees only what was there when it
-- began. The first number tells this lock from others; it reads "eras".
create function hold_off_erasure(person uuid) returns void language sql as $$
    select pg_advisory_xact_lock_shared(1701994867, hashtext(person::text))
$$;
