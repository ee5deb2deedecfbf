-- Agents' versions and statistics, calls' share links and direction, phone numbers.

ALTER TABLE agents ADD COLUMN providers json NOT NULL DEFAULT '{}';
ALTER TABLE agents ADD COLUMN voicemail_policy text NOT NULL DEFAULT 'hang_up'; -- or leave_message
ALTER TABLE agents ADD COLUMN warnings json NOT NULL DEFAULT '[]';
ALTER TABLE agents ADD COLUMN version integer NOT NULL DEFAULT 1;
UPDATE agents SET voicemail_policy = 'leave_message' WHERE voicemail_message IS NOT NULL;

-- The settings of an agent as each change left them. An agent of before has its first version from its next change on.
CREATE TABLE agent_versions (
    agent_id uuid NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    version integer NOT NULL,
    data json NOT NULL,
    changed json NOT NULL DEFAULT '[]', -- names of fields
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (agent_id, version)
);

-- Sums over an agent's calls, kept by the transactions that begin, end and remove them.
CREATE TABLE agent_stats (
    agent_id uuid PRIMARY KEY REFERENCES agents (id) ON DELETE CASCADE,
    call_count bigint NOT NULL DEFAULT 0,
    timed_count bigint NOT NULL DEFAULT 0, -- of them with a duration
    duration_sum bigint NOT NULL DEFAULT 0,
    last_used timestamptz
);
INSERT INTO agent_stats (agent_id, call_count, timed_count, duration_sum, last_used)
SELECT a.id, count(c.id), count(c.duration), COALESCE(sum(c.duration), 0), max(c.created_at)
FROM agents a LEFT JOIN calls c ON c.agent_id = a.id GROUP BY a.id;

ALTER TABLE calls ADD COLUMN counted_s integer; -- the duration that agent_stats holds of it
ALTER TABLE calls ADD COLUMN direction text NOT NULL DEFAULT 'outbound';
UPDATE calls SET counted_s = duration;
-- Sums read this index alone.
CREATE INDEX calls_created ON calls (user_id, created_at, agent_id, status, outcome, sentiment, duration, answered_at);

CREATE TABLE call_shares (
    id uuid PRIMARY KEY,
    call_id uuid NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_sha256 text UNIQUE NOT NULL,
    recording boolean NOT NULL DEFAULT TRUE, -- whether it may be heard too
    views bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX call_shares_call ON call_shares (call_id, id);
CREATE INDEX call_shares_user ON call_shares (user_id);
CREATE INDEX call_shares_expires ON call_shares (expires_at);

CREATE TABLE phone_numbers (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    phone_number text NOT NULL,
    label text,
    agent_id uuid REFERENCES agents (id) ON DELETE SET NULL, -- who answers it
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, phone_number)
);
CREATE INDEX phone_numbers_user ON phone_numbers (user_id, id);
CREATE INDEX phone_numbers_agent ON phone_numbers (agent_id);
