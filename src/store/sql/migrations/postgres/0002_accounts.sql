-- Accounts: invites, API keys, tickets, limits, secrets, usage. Times are milliseconds since 1970, so that both stores
-- hold and compare them alike; what a client shows is made of them.

-- The first account of a server is its administrator ('admin'), all others are 'user'.
ALTER TABLE users ADD COLUMN role TEXT NOT NULL DEFAULT 'user';

CREATE TABLE invites (
    id UUID PRIMARY KEY NOT NULL,
    code_sha256 TEXT UNIQUE NOT NULL,
    email TEXT, -- null: whoever has the code
    created_by UUID REFERENCES users (id) ON DELETE SET NULL,
    created_ms BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    used_ms BIGINT
);
CREATE INDEX invites_by ON invites (created_by);

CREATE TABLE api_keys (
    id UUID PRIMARY KEY NOT NULL,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL, -- its first characters, to tell keys apart
    key_sha256 TEXT UNIQUE NOT NULL,
    scopes TEXT NOT NULL, -- separated by spaces
    created_ms BIGINT NOT NULL,
    last_used_ms BIGINT,
    expires_ms BIGINT, -- null: never
    revoked_ms BIGINT
);
CREATE INDEX api_keys_user ON api_keys (user_id, id);

CREATE TABLE tickets (
    ticket_sha256 TEXT PRIMARY KEY NOT NULL,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    expires_ms BIGINT NOT NULL
);
CREATE INDEX tickets_user ON tickets (user_id);
CREATE INDEX tickets_expires ON tickets (expires_ms);

-- What a user may do; null = the default (store/limits.h).
CREATE TABLE user_limits (
    user_id UUID PRIMARY KEY NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    concurrent_calls INTEGER,
    minutes_per_day INTEGER,
    countries TEXT,  -- "US,CA", "*" = all
    caller_ids TEXT, -- "+12025550100,+12025550101", "*" = all
    recording_days INTEGER,
    transcript_days INTEGER
);

-- Keys of providers, encrypted (store/secrets.h).
CREATE TABLE user_secrets (
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    key_id TEXT NOT NULL,
    sealed TEXT NOT NULL, -- base64 of nonce, ciphertext, tag
    last4 TEXT NOT NULL,
    updated_ms BIGINT NOT NULL,
    PRIMARY KEY (user_id, name)
);

-- What providers did: one row for each call (or other occasion), provider and model, and its sums by day. Neither goes
-- away with the call.
CREATE TABLE usage_items (
    ref TEXT NOT NULL, -- the call's id, or one made for the occasion
    stage TEXT NOT NULL, -- stt, llm, tts, embed, carrier
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    own INTEGER NOT NULL, -- 1: with the user's own key
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    day TEXT NOT NULL,
    requests BIGINT NOT NULL,
    audio_ms BIGINT NOT NULL,
    characters BIGINT NOT NULL,
    tokens_in BIGINT NOT NULL,
    tokens_out BIGINT NOT NULL,
    PRIMARY KEY (ref, stage, provider, model, own)
);
CREATE INDEX usage_items_user ON usage_items (user_id);

CREATE TABLE usage_days (
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    day TEXT NOT NULL, -- 2026-01-31, in UTC
    stage TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    own INTEGER NOT NULL,
    requests BIGINT NOT NULL,
    audio_ms BIGINT NOT NULL,
    characters BIGINT NOT NULL,
    tokens_in BIGINT NOT NULL,
    tokens_out BIGINT NOT NULL,
    PRIMARY KEY (user_id, day, stage, provider, model, own)
);
