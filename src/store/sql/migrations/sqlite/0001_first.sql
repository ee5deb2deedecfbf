-- The seed's tables with all their columns, and what calls, jobs and knowledge need beside them.
-- Times that people see are RFC 3339 text in UTC; leases and limits are integers of milliseconds (…_ms).

CREATE TABLE users (
    id TEXT PRIMARY KEY NOT NULL,
    email TEXT UNIQUE NOT NULL,
    password_hash TEXT NOT NULL,
    name TEXT,
    phone TEXT,
    company TEXT,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
CREATE UNIQUE INDEX users_email_lower ON users (lower(email));

CREATE TABLE auth_tokens (
    id TEXT PRIMARY KEY NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    refresh_token TEXT UNIQUE NOT NULL, -- SHA-256 of the token, in hex
    expires_at TEXT NOT NULL,
    expires_ms INTEGER NOT NULL,
    family TEXT NOT NULL,               -- the id of the first token of a chain of rotations
    replaced_ms INTEGER,                -- when it was rotated
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
CREATE INDEX auth_tokens_user ON auth_tokens (user_id);
CREATE INDEX auth_tokens_family ON auth_tokens (family);
CREATE INDEX auth_tokens_expires ON auth_tokens (expires_ms);

CREATE TABLE agents (
    id TEXT PRIMARY KEY NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    prompt_text TEXT NOT NULL,
    template_source TEXT,
    voice_settings TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(voice_settings)),
    llm_model TEXT NOT NULL DEFAULT 'llama3:8b',
    temperature REAL NOT NULL DEFAULT 0.7,
    max_tokens INTEGER NOT NULL DEFAULT 150,
    is_active INTEGER NOT NULL DEFAULT 1,
    greeting TEXT,
    goodbye TEXT,
    language TEXT NOT NULL DEFAULT 'en',
    first_speaker TEXT NOT NULL DEFAULT 'callee',
    turn_settings TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(turn_settings)),
    knowledge_mode TEXT NOT NULL DEFAULT 'auto',
    max_duration_s INTEGER NOT NULL DEFAULT 600,
    extraction TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(extraction)),
    voicemail_message TEXT, -- null: hang up on a machine
    tools TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(tools)),
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
CREATE INDEX agents_user ON agents (user_id, id);

CREATE TABLE calls (
    id TEXT PRIMARY KEY NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    agent_id TEXT REFERENCES agents (id) ON DELETE SET NULL,
    phone_number TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'initiated',
    twilio_sid TEXT,
    duration INTEGER,
    outcome TEXT,
    sentiment TEXT,
    metadata TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(metadata)),
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    ended_at TEXT,
    options TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(options)),
    ended_reason TEXT,
    ended_by_owner INTEGER NOT NULL DEFAULT 0,
    answered_at TEXT,
    answered_ms INTEGER,
    dialed_ms INTEGER,
    gateway_id TEXT,
    taken_ms INTEGER,
    token_sha256 TEXT,
    token_expires_ms INTEGER,
    token_used INTEGER NOT NULL DEFAULT 0,
    recording TEXT,
    metrics TEXT CHECK (metrics IS NULL OR json_valid(metrics)),
    updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
CREATE INDEX calls_user ON calls (user_id, id);
CREATE INDEX calls_agent ON calls (agent_id, duration, created_at);
CREATE UNIQUE INDEX calls_sid ON calls (twilio_sid) WHERE twilio_sid IS NOT NULL;
CREATE INDEX calls_open ON calls (status, gateway_id)
    WHERE status IN ('initiated', 'queued', 'ringing', 'in-progress');

CREATE TABLE transcripts (
    id TEXT PRIMARY KEY NOT NULL,
    call_id TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    speaker TEXT NOT NULL,
    text TEXT NOT NULL,
    timestamp TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    metadata TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(metadata)),
    seq INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX transcripts_call ON transcripts (call_id, seq, id);

CREATE TABLE call_analyses (
    call_id TEXT PRIMARY KEY NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    status TEXT NOT NULL,
    sentiment TEXT,
    outcome TEXT,
    summary TEXT,
    key_points TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(key_points)),
    intents TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(intents)),
    follow_up TEXT,
    extracted TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(extracted)),
    method TEXT,
    notes TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(notes)),
    error TEXT,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);

CREATE TABLE call_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    call_id TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    data TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(data)),
    at TEXT NOT NULL
);
CREATE INDEX call_events_call ON call_events (call_id, id);

CREATE TABLE dial_attempts (
    call_id TEXT PRIMARY KEY NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    to_number TEXT NOT NULL,
    from_number TEXT NOT NULL,
    state TEXT NOT NULL, -- undecided, placed, refused, not_sent, unknown
    started_ms INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 1,
    code INTEGER,
    why TEXT
);
CREATE UNIQUE INDEX dial_attempts_undecided ON dial_attempts (to_number, from_number)
    WHERE state = 'undecided';

CREATE TABLE idempotency (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    call_id TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotency_call ON idempotency (call_id);

CREATE TABLE knowledge_base (
    id TEXT PRIMARY KEY NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    agent_id TEXT REFERENCES agents (id) ON DELETE CASCADE,
    title TEXT NOT NULL,
    content TEXT NOT NULL,
    source_type TEXT NOT NULL DEFAULT 'manual',
    source_url TEXT,
    questions TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(questions)),
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
CREATE INDEX knowledge_agent ON knowledge_base (agent_id, id);
CREATE INDEX knowledge_user ON knowledge_base (user_id, id);

CREATE TABLE knowledge_vectors (
    knowledge_id TEXT PRIMARY KEY NOT NULL REFERENCES knowledge_base (id) ON DELETE CASCADE,
    count INTEGER NOT NULL,
    dim INTEGER NOT NULL,
    data BLOB NOT NULL -- count × dim floats in the machine's order
);

CREATE TABLE dnc_numbers (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    phone_number TEXT NOT NULL,
    source TEXT NOT NULL,
    call_id TEXT REFERENCES calls (id) ON DELETE SET NULL,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    PRIMARY KEY (user_id, phone_number)
);
CREATE INDEX dnc_call ON dnc_numbers (call_id);

CREATE TABLE gateways (
    id TEXT PRIMARY KEY NOT NULL,
    control_url TEXT NOT NULL,
    beat_ms INTEGER NOT NULL
);

CREATE TABLE jobs (
    id TEXT PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    unique_key TEXT UNIQUE,
    payload TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(payload)),
    status TEXT NOT NULL DEFAULT 'queued', -- queued, running, done, dead
    attempts INTEGER NOT NULL DEFAULT 0,
    run_at_ms INTEGER NOT NULL,
    lease_until_ms INTEGER,
    worker TEXT,
    error TEXT,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
CREATE INDEX jobs_due ON jobs (status, run_at_ms) WHERE status IN ('queued', 'running');
