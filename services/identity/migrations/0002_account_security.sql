-- What makes an account safe: proof of its address, a second factor, sessions one can
-- look through, limits for guessing, and a log of all that nobody can change unseen.

alter table users add column email_verified_at timestamptz;
-- Closed: nobody signs in any more, and everything personal goes.
alter table users add column closed_at timestamptz;

alter table refresh_token_families add column last_used_at timestamptz;
update refresh_token_families set last_used_at = created_at;
alter table refresh_token_families alter column last_used_at set not null;
-- What the client called itself when it signed in.
alter table refresh_token_families add column user_agent text not null default '';

create table second_factors (
    user_id uuid not null,
    -- Sealed: AES-256-GCM.
    secret bytea not null,
    -- Null: begun, not confirmed.
    confirmed_at timestamptz,
    -- The time step of the last code taken: a code works once (RFC 6238, section 5.2).
    last_step bigint not null default 0,
    constraint second_factors_pkey primary key (user_id),
    constraint second_factors_user_fkey foreign key (user_id) references users (id) on delete cascade
);

create table recovery_codes (
    user_id uuid not null,
    -- SHA-256 of the code: 80 random bits leave nothing to guess.
    code_hash bytea not null,
    constraint recovery_codes_pkey primary key (user_id, code_hash),
    constraint recovery_codes_factor_fkey
        foreign key (user_id) references second_factors (user_id) on delete cascade
);

-- Mails with a token in them. The token is made when the mail is handed over; only its
-- hash is ever kept.
create table mail_requests (
    id uuid not null,
    user_id uuid not null,
    purpose text not null,
    token_hash bytea,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    constraint mail_requests_pkey primary key (id),
    -- A newer request replaces an older one of its kind.
    constraint mail_requests_purpose_key unique (user_id, purpose),
    constraint mail_requests_purpose_known check (purpose in ('verify_email', 'reset_password')),
    constraint mail_requests_user_fkey foreign key (user_id) references users (id) on delete cascade
);

create unique index mail_requests_token on mail_requests (token_hash);
create index mail_requests_expiry on mail_requests (expires_at);

-- Wrong guesses, by account or client address. Only a hash of which: the address of
-- an account that does not exist is nobody's business.
create table login_guesses (
    subject bytea not null,
    guesses integer not null,
    blocked_until timestamptz not null,
    updated_at timestamptz not null,
    constraint login_guesses_pkey primary key (subject)
);

create index login_guesses_age on login_guesses (updated_at);

-- Security events, each bound to the one before by its hash.
create table security_events (
    sequence bigint not null,
    kind text not null,
    at timestamptz not null,
    -- Who and from where; taken out when the account is erased. The hash covers only
    -- their digest, so the chain holds all the same.
    user_id uuid,
    client_address text,
    salt bytea,
    subject_digest bytea not null,
    previous_hash bytea not null,
    hash bytea not null,
    constraint security_events_pkey primary key (sequence)
);

create index security_events_user on security_events (user_id, sequence desc);

-- Appends an event. One at a time: each needs the hash of the one before.
create function record_security_event(
    event_kind text, event_at timestamptz, event_user uuid, event_address text
) returns void language plpgsql as $$
declare
    last security_events;
    -- 128 random bits: a digest without its salt cannot be guessed back.
    salt bytea := uuid_send(gen_random_uuid());
    digest bytea := sha256(salt || convert_to(
        coalesce(event_user::text, '') || '|' || coalesce(event_address, ''), 'UTF8'));
    previous bytea;
begin
    perform pg_advisory_xact_lock(8220161);
    select * into last from security_events order by sequence desc limit 1;
    previous := coalesce(last.hash, '\x'::bytea);
    insert into security_events
        (sequence, kind, at, user_id, client_address, salt, subject_digest, previous_hash, hash)
    values (
        coalesce(last.sequence, 0) + 1, event_kind, event_at, event_user, event_address, salt,
        digest, previous,
        sha256(previous || convert_to(
            (coalesce(last.sequence, 0) + 1) || '|' || event_kind || '|'
                || (extract(epoch from event_at) * 1000000)::bigint || '|'
                || encode(digest, 'hex'), 'UTF8'))
    );
end
$$;

-- Only who it was may be taken out; nothing else is ever changed.
create function security_events_are_append_only() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE'
        and new.user_id is null and new.client_address is null and new.salt is null
        and (new.sequence, new.kind, new.at, new.subject_digest, new.previous_hash, new.hash)
            = (old.sequence, old.kind, old.at, old.subject_digest, old.previous_hash, old.hash)
    then
        return new;
    end if;
    raise exception 'the log of security events is append-only'
        using errcode = 'restrict_violation';
end
$$;

create trigger security_events_append_only
    before update or delete on security_events
    for each row execute function security_events_are_append_only();

create trigger security_events_not_emptied
    before truncate on security_events
    for each statement execute function security_events_are_append_only();

-- Keys have a life now: published, then signing, then only published until the last
-- token that they signed has expired.
alter table signing_keys add column signs_at timestamptz;
update signing_keys set signs_at = created_at;
alter table signing_keys alter column signs_at set not null;
alter table signing_keys add column retires_at timestamptz;
-- Sealed: AES-256-GCM. Keys of before are sealed at the next start.
alter table signing_keys add column sealed_key bytea;
alter table signing_keys alter column private_key drop not null;

-- Accounts whose data is being erased, and by whom it is done.
create table erasures (
    user_id uuid not null,
    requested_at timestamptz not null,
    next_try_at timestamptz not null,
    tries integer not null default 0,
    -- Workloads that have nothing personal left.
    done text[] not null default '{}',
    constraint erasures_pkey primary key (user_id)
);

create index erasures_due on erasures (next_try_at);
