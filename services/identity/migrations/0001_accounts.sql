create table users (
    id uuid not null,
    -- As given; compared without regard to case.
    email text not null,
    display_name text not null,
    -- PHC string format.
    password_hash text not null,
    roles text[] not null,
    version bigint not null default 1,
    created_at timestamptz not null,
    constraint users_pkey primary key (id),
    constraint users_roles_given check (cardinality(roles) > 0)
);

create unique index users_email_key on users (lower(email));

-- Few rows; locked together whenever roles change.
create index users_admins on users (id) where 'admin' = any (roles);

-- All tokens that descend from one sign-in. Revoking is one row's change, so a
-- rotation at the same moment cannot slip a fresh token past it.
create table refresh_token_families (
    id uuid not null,
    user_id uuid not null,
    created_at timestamptz not null,
    revoked_at timestamptz,
    constraint refresh_token_families_pkey primary key (id),
    constraint refresh_token_families_user_fkey
        foreign key (user_id) references users (id) on delete cascade
);

create index refresh_token_families_user on refresh_token_families (user_id);

create table refresh_tokens (
    -- SHA-256 of the token; the token itself is never stored.
    token_hash bytea not null,
    family_id uuid not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    constraint refresh_tokens_pkey primary key (token_hash),
    constraint refresh_tokens_hash_is_sha256 check (octet_length(token_hash) = 32),
    constraint refresh_tokens_family_fkey
        foreign key (family_id) references refresh_token_families (id) on delete cascade
);

create index refresh_tokens_family on refresh_tokens (family_id);
create index refresh_tokens_expiry on refresh_tokens (expires_at);

create table signing_keys (
    -- RFC 7638 thumbprint of the public key.
    kid text not null,
    -- PKCS #8, PEM.
    private_key text not null,
    -- SEC 1, uncompressed: 0x04, x, y.
    public_key bytea not null,
    created_at timestamptz not null,
    constraint signing_keys_pkey primary key (kid),
    constraint signing_keys_point_is_p256 check (octet_length(public_key) = 65)
);
