-- Roles that administrators make, address books, what was revoked, and erasures that are
-- done.

-- Beside those of the contract. Who has which stands apart from `users.roles`: a role
-- that a later contract brings is nobody's because it has the name of one made here.
create table custom_roles (
    name text not null,
    title text not null,
    description text not null,
    -- Of the contract; sorted.
    permissions text[] not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint custom_roles_pkey primary key (name),
    constraint custom_roles_name_is_a_slug check (name ~ '^[a-z][a-z0-9]*(-[a-z0-9]+)*$')
);

create table user_custom_roles (
    user_id uuid not null,
    role text not null,
    constraint user_custom_roles_pkey primary key (user_id, role),
    constraint user_custom_roles_user_fkey
        foreign key (user_id) references users (id) on delete cascade,
    constraint user_custom_roles_role_fkey foreign key (role) references custom_roles (name)
);

create index user_custom_roles_role on user_custom_roles (role);

create table client_custom_roles (
    client_id uuid not null,
    role text not null,
    constraint client_custom_roles_pkey primary key (client_id, role),
    constraint client_custom_roles_client_fkey
        foreign key (client_id) references oauth_clients (id) on delete cascade,
    constraint client_custom_roles_role_fkey foreign key (role) references custom_roles (name)
);

create index client_custom_roles_role on client_custom_roles (role);

-- Roles that administrators made may be all that somebody has.
alter table users drop constraint users_roles_given;

create table addresses (
    id uuid not null,
    user_id uuid not null,
    label text not null,
    recipient text not null,
    street text not null,
    city text not null,
    postal_code text not null,
    -- ISO 3166-1 alpha-2.
    country_code text not null,
    is_default boolean not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint addresses_pkey primary key (id),
    constraint addresses_user_fkey foreign key (user_id) references users (id) on delete cascade
);

create index addresses_user on addresses (user_id);
create unique index addresses_default on addresses (user_id) where is_default;

-- Sessions that have ended and applications that were taken away, until the last token
-- that they were given has expired: every service asks for them again and again.
create table revocations (
    -- A session's id, or an application's.
    subject uuid not null,
    -- By this database's clock, which those who ask are told.
    revoked_at timestamptz not null,
    constraint revocations_pkey primary key (subject)
);

create index revocations_age on revocations (revoked_at);

-- Whatever ends a session.
create function note_revocation() returns trigger language plpgsql as $$
begin
    insert into revocations (subject, revoked_at) values (old.id, clock_timestamp())
        on conflict (subject) do nothing;
    return null;
end
$$;

create trigger refresh_token_families_revoked
    after update of revoked_at on refresh_token_families
    for each row when (old.revoked_at is null and new.revoked_at is not null)
    execute function note_revocation();

-- One that was not used for a day has no access token that is good.
create trigger refresh_token_families_deleted
    after delete on refresh_token_families
    for each row when (old.revoked_at is null and old.last_used_at > now() - interval '1 day')
    execute function note_revocation();

-- Erasures that are done are remembered: a backup does not know of them.
alter table erasures add column finished_at timestamptz;
create index erasures_age on erasures (requested_at, user_id);

-- What exactly happened, for example which roles. Nobody's id or name.
alter table security_events add column detail text not null default '';

drop function record_security_event(text, timestamptz, uuid, text);

create function record_security_event(
    event_kind text, event_at timestamptz, event_user uuid, event_address text, event_detail text
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
        (sequence, kind, at, user_id, client_address, salt, subject_digest, previous_hash, hash,
         detail)
    values (
        coalesce(last.sequence, 0) + 1, event_kind, event_at, event_user, event_address, salt,
        digest, previous,
        sha256(previous || convert_to(
            (coalesce(last.sequence, 0) + 1) || '|' || event_kind || '|'
                || (extract(epoch from event_at) * 1000000)::bigint || '|'
                || encode(digest, 'hex')
                -- Entries of before have none and keep their hashes.
                || case event_detail when '' then '' else '|' || event_detail end, 'UTF8')),
        event_detail
    );
end
$$;

create or replace function security_events_are_append_only() returns trigger
language plpgsql as $$
begin
    if tg_op = 'UPDATE'
        and new.user_id is null and new.client_address is null and new.salt is null
        and (new.sequence, new.kind, new.at, new.subject_digest, new.previous_hash, new.hash,
             new.detail)
            = (old.sequence, old.kind, old.at, old.subject_digest, old.previous_hash, old.hash,
               old.detail)
    then
        return new;
    end if;
    raise exception 'the log of security events is append-only'
        using errcode = 'restrict_violation';
end
$$;
