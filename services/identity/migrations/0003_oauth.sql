-- Applications that sign people in here (OAuth 2.1, OpenID Connect), and what they
-- were granted.

create table oauth_clients (
    id uuid not null,
    name text not null,
    -- Compared as a whole (RFC 9700, section 2.1).
    redirect_uris text[] not null,
    logout_uris text[] not null,
    -- SHA-256 of 256 random bits; null: a public client, which has no secret.
    secret_hash bytea,
    -- Ours: people are not asked whether they consent.
    first_party boolean not null,
    -- What it may do in its own name (client credentials).
    roles text[] not null,
    created_at timestamptz not null,
    constraint oauth_clients_pkey primary key (id),
    constraint oauth_clients_secret_is_sha256 check (octet_length(secret_hash) = 32),
    constraint oauth_clients_roles_need_a_secret
        check (cardinality(roles) = 0 or secret_hash is not null)
);

-- A family of tokens that was granted to an application, and for what.
alter table refresh_token_families add column client_id uuid;
alter table refresh_token_families add column scope text not null default '';
alter table refresh_token_families add constraint refresh_token_families_client_fkey
    foreign key (client_id) references oauth_clients (id) on delete cascade;

create table oauth_codes (
    code_hash bytea not null,
    client_id uuid not null,
    user_id uuid not null,
    -- The sign-in that it came from.
    session_id uuid not null,
    redirect_uri text not null,
    scope text not null,
    nonce text,
    -- S256 (RFC 7636).
    code_challenge text not null,
    auth_time timestamptz not null,
    expires_at timestamptz not null,
    -- Exchanged for this family of tokens: if it comes again, they end.
    used_at timestamptz,
    family_id uuid,
    constraint oauth_codes_pkey primary key (code_hash),
    constraint oauth_codes_client_fkey
        foreign key (client_id) references oauth_clients (id) on delete cascade,
    constraint oauth_codes_user_fkey foreign key (user_id) references users (id) on delete cascade
);

create index oauth_codes_expiry on oauth_codes (expires_at);

create table oauth_consents (
    user_id uuid not null,
    client_id uuid not null,
    scope text[] not null,
    granted_at timestamptz not null,
    constraint oauth_consents_pkey primary key (user_id, client_id),
    constraint oauth_consents_client_fkey
        foreign key (client_id) references oauth_clients (id) on delete cascade,
    constraint oauth_consents_user_fkey
        foreign key (user_id) references users (id) on delete cascade
);
