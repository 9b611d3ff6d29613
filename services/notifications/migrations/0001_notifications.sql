-- Where mail for a user goes; told by identity, perhaps after the first notification.
create table contacts (
    user_id uuid not null,
    email text not null,
    display_name text not null,
    constraint contacts_pkey primary key (user_id)
);

-- No row: everything is on.
create table preferences (
    user_id uuid not null,
    email boolean not null,
    constraint preferences_pkey primary key (user_id)
);

create table notifications (
    id uuid not null,
    user_id uuid not null,
    kind text not null,
    -- What it is about: nothing is told twice about the same thing.
    about_id uuid not null,
    subject text not null,
    body text not null,
    order_id uuid,
    created_at timestamptz not null,
    constraint notifications_pkey primary key (id),
    constraint notifications_kind_about_key unique (kind, about_id),
    constraint notifications_kind_known check (
        kind in ('welcome', 'order_confirmed', 'order_failed', 'order_cancelled',
                 'payment_refunded')
    )
);

create index notifications_user on notifications (user_id, id desc);

-- The e-mail of each notification.
create table deliveries (
    notification_id uuid not null,
    state text not null,
    -- Hand-overs begun; tells a worker whose lease ran out from the one that followed it.
    attempts integer not null default 0,
    next_attempt_at timestamptz not null,
    -- A worker has it until then; no transaction is open while it talks to the mail server.
    leased_until timestamptz,
    last_error text,
    updated_at timestamptz not null,
    constraint deliveries_pkey primary key (notification_id),
    constraint deliveries_notification_fkey
        foreign key (notification_id) references notifications (id) on delete cascade,
    constraint deliveries_state_known
        check (state in ('pending', 'sent', 'failed', 'suppressed'))
);

create index deliveries_due on deliveries (next_attempt_at) where state = 'pending';
