-- What operators did, written in the transaction of its effect.
create table operator_actions (
    -- UUIDv7: sorts by time
    id uuid not null,
    at timestamptz not null default clock_timestamp(),
    -- the user of the verified token
    actor uuid not null,
    -- <thing>.<verb>
    action text not null,
    -- what was acted on, by its id
    target text not null,
    -- why, in the operator's words
    why text not null,
    -- what came of it
    outcome text not null,
    constraint operator_actions_pk primary key (id),
    constraint operator_actions_action_named check (action ~ '^[a-z_]+\.[a-z_]+$'),
    constraint operator_actions_target_given check (target <> ''),
    constraint operator_actions_why_given check (char_length(why) between 1 and 500)
);

create index operator_actions_target_idx on operator_actions (target, id desc);

-- A service owns its tables, so that no grant could keep its role from changing
-- these rows; a trigger does.
create function refuse_to_change_operator_actions() returns trigger language plpgsql as $$
begin
    raise exception 'rows of operator_actions are only ever added'
        using errcode = 'restrict_violation', constraint = 'operator_actions_append_only';
end
$$;

create trigger operator_actions_append_only
    before update or delete or truncate on operator_actions
    for each statement execute function refuse_to_change_operator_actions();
