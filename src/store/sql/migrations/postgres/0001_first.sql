-- The seed's tables with all their columns, and what calls, jobs and knowledge need beside them. A database that already
-- holds the seed's tables is adopted with its rows: what is missing is added, nulls that have a default get it.
-- JSON columns are of type json: their text comes back as it was written. Leases and limits are bigint milliseconds (…_ms).

CREATE TABLE IF NOT EXISTS users (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email text UNIQUE NOT NULL,
    password_hash text NOT NULL,
    name text,
    phone text,
    company text,
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now()
);
CREATE TABLE IF NOT EXISTS auth_tokens (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid REFERENCES users (id) ON DELETE CASCADE,
    refresh_token text UNIQUE NOT NULL, -- SHA-256 of the token, in hex
    expires_at timestamptz NOT NULL,
    created_at timestamptz DEFAULT now()
);
CREATE TABLE IF NOT EXISTS agents (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name text NOT NULL,
    prompt_text text NOT NULL,
    template_source text,
    voice_settings json DEFAULT '{}',
    llm_model text DEFAULT 'llama3:8b',
    temperature double precision DEFAULT 0.7,
    max_tokens integer DEFAULT 150,
    is_active boolean DEFAULT true,
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now()
);
CREATE TABLE IF NOT EXISTS calls (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    agent_id uuid REFERENCES agents (id) ON DELETE SET NULL,
    phone_number text NOT NULL,
    status text DEFAULT 'initiated',
    twilio_sid text,
    duration integer,
    outcome text,
    sentiment text,
    metadata json DEFAULT '{}',
    created_at timestamptz DEFAULT now(),
    ended_at timestamptz
);
CREATE TABLE IF NOT EXISTS transcripts (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    call_id uuid REFERENCES calls (id) ON DELETE CASCADE,
    speaker text NOT NULL,
    text text NOT NULL,
    timestamp timestamptz DEFAULT now(),
    metadata json DEFAULT '{}'
);
CREATE TABLE IF NOT EXISTS knowledge_base (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    agent_id uuid REFERENCES agents (id) ON DELETE CASCADE,
    title text NOT NULL,
    content text NOT NULL,
    source_type text DEFAULT 'manual',
    source_url text,
    created_at timestamptz DEFAULT now()
);

ALTER TABLE auth_tokens
    ADD COLUMN expires_ms bigint,
    ADD COLUMN family uuid,        -- the id of the first token of a chain of rotations
    ADD COLUMN replaced_ms bigint; -- when it was rotated
ALTER TABLE agents
    ALTER COLUMN voice_settings DROP DEFAULT,
    ALTER COLUMN voice_settings TYPE json USING COALESCE(voice_settings, '{}')::json,
    ADD COLUMN IF NOT EXISTS greeting text,
    ADD COLUMN IF NOT EXISTS goodbye text,
    ADD COLUMN IF NOT EXISTS language text NOT NULL DEFAULT 'en',
    ADD COLUMN IF NOT EXISTS first_speaker text NOT NULL DEFAULT 'callee',
    ADD COLUMN IF NOT EXISTS turn_settings json NOT NULL DEFAULT '{}',
    ADD COLUMN IF NOT EXISTS knowledge_mode text NOT NULL DEFAULT 'auto',
    ADD COLUMN IF NOT EXISTS max_duration_s integer NOT NULL DEFAULT 600,
    ADD COLUMN IF NOT EXISTS extraction json NOT NULL DEFAULT '[]',
    ADD COLUMN IF NOT EXISTS voicemail_message text, -- null: hang up on a machine
    ADD COLUMN IF NOT EXISTS tools json NOT NULL DEFAULT '[]';
ALTER TABLE calls
    ALTER COLUMN metadata DROP DEFAULT,
    ALTER COLUMN metadata TYPE json USING COALESCE(metadata, '{}')::json,
    ADD COLUMN IF NOT EXISTS options json NOT NULL DEFAULT '{}',
    ADD COLUMN IF NOT EXISTS ended_reason text,
    ADD COLUMN IF NOT EXISTS ended_by_owner boolean NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS answered_at timestamptz,
    ADD COLUMN IF NOT EXISTS answered_ms bigint,
    ADD COLUMN IF NOT EXISTS dialed_ms bigint,
    ADD COLUMN IF NOT EXISTS gateway_id text,
    ADD COLUMN IF NOT EXISTS taken_ms bigint,
    ADD COLUMN IF NOT EXISTS token_sha256 text,
    ADD COLUMN IF NOT EXISTS token_expires_ms bigint,
    ADD COLUMN IF NOT EXISTS token_used boolean NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS recording text,
    ADD COLUMN IF NOT EXISTS metrics json,
    ADD COLUMN IF NOT EXISTS updated_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE transcripts
    ALTER COLUMN metadata DROP DEFAULT,
    ALTER COLUMN metadata TYPE json USING COALESCE(metadata, '{}')::json,
    ADD COLUMN IF NOT EXISTS seq bigint NOT NULL DEFAULT 0;
ALTER TABLE knowledge_base
    ADD COLUMN IF NOT EXISTS questions json NOT NULL DEFAULT '[]';

-- Rows of the seed. Its refresh tokens stand in clear: from here on as their SHA-256, as our own do.
DELETE FROM auth_tokens WHERE user_id IS NULL OR expires_at <= now();
UPDATE auth_tokens SET refresh_token = encode(sha256(convert_to(refresh_token, 'UTF8')), 'hex'),
    expires_ms = floor(extract(epoch FROM expires_at) * 1000), family = id;
UPDATE users SET created_at = COALESCE(created_at, now()), updated_at = COALESCE(updated_at, created_at, now())
WHERE created_at IS NULL OR updated_at IS NULL;
UPDATE auth_tokens SET created_at = now() WHERE created_at IS NULL;
UPDATE agents SET llm_model = COALESCE(llm_model, 'llama3:8b'), temperature = COALESCE(temperature, 0.7),
    max_tokens = COALESCE(max_tokens, 150), is_active = COALESCE(is_active, true),
    created_at = COALESCE(created_at, now()), updated_at = COALESCE(updated_at, created_at, now());
UPDATE calls SET created_at = COALESCE(created_at, now()), updated_at = COALESCE(ended_at, created_at, now()),
    status = COALESCE(status, 'failed');
-- Nobody holds a call any more that has been open for a day.
UPDATE calls SET status = 'failed', ended_reason = 'lost', ended_at = COALESCE(ended_at, created_at)
WHERE status IN ('initiated', 'queued', 'ringing', 'in-progress') AND created_at < now() - interval '1 day';
UPDATE transcripts SET timestamp = now() WHERE timestamp IS NULL;
UPDATE transcripts t SET seq = o.seq FROM (
    SELECT id, row_number() OVER (PARTITION BY call_id ORDER BY timestamp, id) AS seq FROM transcripts) o
WHERE o.id = t.id;
UPDATE knowledge_base SET source_type = COALESCE(source_type, 'manual'), created_at = COALESCE(created_at, now());

ALTER TABLE users
    ALTER COLUMN created_at SET NOT NULL, ALTER COLUMN updated_at SET NOT NULL;
ALTER TABLE auth_tokens
    ALTER COLUMN user_id SET NOT NULL, ALTER COLUMN expires_ms SET NOT NULL, ALTER COLUMN family SET NOT NULL,
    ALTER COLUMN created_at SET NOT NULL;
ALTER TABLE agents
    ALTER COLUMN voice_settings SET DEFAULT '{}', ALTER COLUMN voice_settings SET NOT NULL,
    ALTER COLUMN llm_model SET NOT NULL, ALTER COLUMN temperature SET NOT NULL, ALTER COLUMN max_tokens SET NOT NULL,
    ALTER COLUMN is_active SET NOT NULL, ALTER COLUMN created_at SET NOT NULL, ALTER COLUMN updated_at SET NOT NULL;
ALTER TABLE calls
    ALTER COLUMN metadata SET DEFAULT '{}', ALTER COLUMN metadata SET NOT NULL, ALTER COLUMN status SET NOT NULL,
    ALTER COLUMN created_at SET NOT NULL;
ALTER TABLE transcripts
    ALTER COLUMN metadata SET DEFAULT '{}', ALTER COLUMN metadata SET NOT NULL, ALTER COLUMN timestamp SET NOT NULL;
ALTER TABLE knowledge_base
    ALTER COLUMN source_type SET NOT NULL, ALTER COLUMN created_at SET NOT NULL;

CREATE UNIQUE INDEX users_email_lower ON users (lower(email));
CREATE INDEX auth_tokens_user ON auth_tokens (user_id);
CREATE INDEX auth_tokens_family ON auth_tokens (family);
CREATE INDEX auth_tokens_expires ON auth_tokens (expires_ms);
CREATE INDEX agents_user ON agents (user_id, id);
CREATE INDEX calls_user ON calls (user_id, id);
CREATE INDEX calls_agent ON calls (agent_id, duration, created_at);
CREATE UNIQUE INDEX calls_sid ON calls (twilio_sid) WHERE twilio_sid IS NOT NULL;
CREATE INDEX calls_open ON calls (status, gateway_id)
    WHERE status IN ('initiated', 'queued', 'ringing', 'in-progress');
CREATE INDEX transcripts_call ON transcripts (call_id, seq, id);
CREATE INDEX knowledge_agent ON knowledge_base (agent_id, id);
CREATE INDEX knowledge_user ON knowledge_base (user_id, id);

CREATE TABLE call_analyses (
    call_id uuid PRIMARY KEY REFERENCES calls (id) ON DELETE CASCADE,
    status text NOT NULL,
    sentiment text,
    outcome text,
    summary text,
    key_points json NOT NULL DEFAULT '[]',
    intents json NOT NULL DEFAULT '[]',
    follow_up text,
    extracted json NOT NULL DEFAULT '{}',
    method text,
    notes json NOT NULL DEFAULT '[]',
    error text,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE call_events (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    call_id uuid NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    kind text NOT NULL,
    data json NOT NULL DEFAULT '{}',
    at timestamptz NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX call_events_call ON call_events (call_id, id);

CREATE TABLE dial_attempts (
    call_id uuid PRIMARY KEY REFERENCES calls (id) ON DELETE CASCADE,
    to_number text NOT NULL,
    from_number text NOT NULL,
    state text NOT NULL, -- undecided, placed, refused, not_sent, unknown
    started_ms bigint NOT NULL,
    tries integer NOT NULL DEFAULT 1,
    code integer,
    why text
);
CREATE UNIQUE INDEX dial_attempts_undecided ON dial_attempts (to_number, from_number)
    WHERE state = 'undecided';

CREATE TABLE idempotency (
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    key text NOT NULL,
    fingerprint text NOT NULL,
    call_id uuid NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotency_call ON idempotency (call_id);

CREATE TABLE knowledge_vectors (
    knowledge_id uuid PRIMARY KEY REFERENCES knowledge_base (id) ON DELETE CASCADE,
    count integer NOT NULL,
    dim integer NOT NULL,
    data bytea NOT NULL -- count × dim floats in the machine's order
);

CREATE TABLE dnc_numbers (
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    phone_number text NOT NULL,
    source text NOT NULL,
    call_id uuid REFERENCES calls (id) ON DELETE SET NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, phone_number)
);
CREATE INDEX dnc_call ON dnc_numbers (call_id);

CREATE TABLE gateways (
    id text PRIMARY KEY,
    control_url text NOT NULL,
    beat_ms bigint NOT NULL
);

CREATE TABLE jobs (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    unique_key text UNIQUE,
    payload json NOT NULL DEFAULT '{}',
    status text NOT NULL DEFAULT 'queued', -- queued, running, done, dead
    attempts integer NOT NULL DEFAULT 0,
    run_at_ms bigint NOT NULL,
    lease_until_ms bigint,
    worker text,
    error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX jobs_due ON jobs (status, run_at_ms) WHERE status IN ('queued', 'running');
