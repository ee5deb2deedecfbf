-- Agents' versions and statistics, calls' share links and direction, phone numbers.

ALTER TABLE agents ADD COLUMN providers TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(providers));
ALTER TABLE agents ADD COLUMN voicemail_policy TEXT NOT NULL DEFAULT 'hang_up'; -- or leave_message
ALTER TABLE agents ADD COLUMN warnings TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(warnings));
ALTER TABLE agents ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
UPDATE agents SET voicemail_policy = 'leave_message' WHERE voicemail_message IS NOT NULL;

-- The settings of an agent as each change left them. An agent of before has its first version from its next change on.
CREATE TABLE agent_versions (
    agent_id TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    data TEXT NOT NULL CHECK (json_valid(data)),
    changed TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(changed)), -- names of fields
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    PRIMARY KEY (agent_id, version)
);

-- Sums over an agent's calls, kept by the transactions that begin, end and remove them.
CREATE TABLE agent_stats (
    agent_id TEXT PRIMARY KEY NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    call_count INTEGER NOT NULL DEFAULT 0,
    timed_count INTEGER NOT NULL DEFAULT 0, -- of them with a duration
    duration_sum INTEGER NOT NULL DEFAULT 0,
    last_used TEXT
);
INSERT INTO agent_stats (agent_id, call_count, timed_count, duration_sum, last_used)
SELECT a.id, count(c.id), count(c.duration), COALESCE(sum(c.duration), 0), max(c.created_at)
FROM agents a LEFT JOIN calls c ON c.agent_id = a.id GROUP BY a.id;

ALTER TABLE calls ADD COLUMN counted_s INTEGER; -- the duration that agent_stats holds of it
ALTER TABLE calls ADD COLUMN direction TEXT NOT NULL DEFAULT 'outbound';
UPDATE calls SET counted_s = duration;
-- Sums read this index alone.
CREATE INDEX calls_created ON calls (user_id, created_at, agent_id, status, outcome, sentiment, duration, answered_at);

CREATE TABLE call_shares (
    id TEXT PRIMARY KEY NOT NULL,
    call_id TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_sha256 TEXT UNIQUE NOT NULL,
    recording INTEGER NOT NULL DEFAULT 1, -- whether it may be heard too
    views INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    expires_at TEXT NOT NULL
);
CREATE INDEX call_shares_call ON call_shares (call_id, id);
CREATE INDEX call_shares_user ON call_shares (user_id);
CREATE INDEX call_shares_expires ON call_shares (expires_at);

CREATE TABLE phone_numbers (
    id TEXT PRIMARY KEY NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    phone_number TEXT NOT NULL,
    label TEXT,
    agent_id TEXT REFERENCES agents (id) ON DELETE SET NULL, -- who answers it
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    UNIQUE (user_id, phone_number)
);
CREATE INDEX phone_numbers_user ON phone_numbers (user_id, id);
CREATE INDEX phone_numbers_agent ON phone_numbers (agent_id);
