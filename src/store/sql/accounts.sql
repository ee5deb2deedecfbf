-- Accounts beyond users and sessions. Rows are plain columns: the verbs make what the API shows, alike for both stores.

-- name: user_update
UPDATE users SET name = CASE WHEN ?2 = 1 THEN ?3 ELSE name END,
    phone = CASE WHEN ?4 = 1 THEN ?5 ELSE phone END,
    company = CASE WHEN ?6 = 1 THEN ?7 ELSE company END, updated_at = ?8
WHERE id = ?1;

-- name: user_password_get
SELECT password_hash FROM users WHERE id = ?1;

-- name: user_password_set
UPDATE users SET password_hash = ?2, updated_at = ?3 WHERE id = ?1;

-- name: user_role
SELECT role FROM users WHERE id = ?1;

-- name: user_role_first
UPDATE users SET role = 'admin' WHERE id = ?1
    AND NOT EXISTS (SELECT 1 FROM users other WHERE other.id <> ?1);

-- name: user_id_by_email
SELECT id FROM users WHERE lower(email) = lower(?1);

-- name: sessions_end
DELETE FROM auth_tokens WHERE user_id = ?1 AND family NOT IN
    (SELECT kept.family FROM auth_tokens kept WHERE kept.refresh_token = ?2 AND kept.user_id = ?1);

-- name: invite_create
INSERT INTO invites (id, code_sha256, email, created_by, created_ms, expires_ms)
VALUES (?1, ?2, ?3, ?4, ?5, ?6);

-- name: invite_use
UPDATE invites SET used_ms = ?3 WHERE code_sha256 = ?1 AND used_ms IS NULL AND expires_ms > ?3
    AND (email IS NULL OR lower(email) = lower(?2));

-- name: invites_expire
DELETE FROM invites WHERE expires_ms <= ?1;

-- name: api_key_create
INSERT INTO api_keys (id, user_id, name, prefix, key_sha256, scopes, created_ms, expires_ms)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8);

-- name: api_keys_count
SELECT count(*) FROM api_keys WHERE user_id = ?1 AND revoked_ms IS NULL;

-- name: api_keys_list
SELECT id, name, prefix, scopes, created_ms, last_used_ms, expires_ms, revoked_ms
FROM api_keys WHERE user_id = ?1 ORDER BY id DESC LIMIT 200;

-- name: api_key_find
SELECT id, user_id, scopes, last_used_ms FROM api_keys
WHERE key_sha256 = ?1 AND revoked_ms IS NULL AND (expires_ms IS NULL OR expires_ms > ?2);

-- name: api_key_used
UPDATE api_keys SET last_used_ms = ?2 WHERE id = ?1;

-- name: api_key_revoke
UPDATE api_keys SET revoked_ms = ?3 WHERE id = ?2 AND user_id = ?1 AND revoked_ms IS NULL;

-- name: ticket_create
INSERT INTO tickets (ticket_sha256, user_id, path, expires_ms) VALUES (?1, ?2, ?3, ?4);

-- name: ticket_take
DELETE FROM tickets WHERE ticket_sha256 = ?1 RETURNING user_id, path, expires_ms;

-- name: tickets_expire
DELETE FROM tickets WHERE expires_ms <= ?1;

-- name: limits_get
SELECT u.id, l.concurrent_calls, l.minutes_per_day, l.countries, l.caller_ids, l.recording_days,
    l.transcript_days
FROM users u LEFT JOIN user_limits l ON l.user_id = u.id WHERE u.id = ?1;

-- name: limits_set
INSERT INTO user_limits (user_id, concurrent_calls, minutes_per_day, countries, caller_ids,
    recording_days, transcript_days)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (user_id) DO UPDATE SET concurrent_calls = excluded.concurrent_calls,
    minutes_per_day = excluded.minutes_per_day, countries = excluded.countries,
    caller_ids = excluded.caller_ids, recording_days = excluded.recording_days,
    transcript_days = excluded.transcript_days;

-- name: limits_now
SELECT (SELECT count(*) FROM calls c WHERE c.user_id = ?1
        AND c.status IN ('initiated', 'queued', 'ringing', 'in-progress') AND c.id <> ?2
        AND (?5 = 0 OR EXISTS (SELECT 1 FROM dial_attempts d WHERE d.call_id = c.id))),
    (SELECT COALESCE(sum(s.audio_ms), 0) FROM usage_days s
        WHERE s.user_id = ?1 AND s.day = ?3 AND s.stage = 'carrier'),
    (SELECT COALESCE(sum(?4 - o.answered_ms), 0) FROM calls o WHERE o.user_id = ?1
        AND o.status = 'in-progress' AND o.answered_ms < ?4);

-- name: secret_put
INSERT INTO user_secrets (user_id, name, key_id, sealed, last4, updated_ms)
VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (user_id, name) DO UPDATE SET key_id = excluded.key_id, sealed = excluded.sealed,
    last4 = excluded.last4, updated_ms = excluded.updated_ms;

-- name: secrets_list
SELECT name, last4, updated_ms FROM user_secrets WHERE user_id = ?1 ORDER BY name;

-- name: secrets_get
SELECT name, key_id, sealed FROM user_secrets WHERE user_id = ?1;

-- name: secret_delete
DELETE FROM user_secrets WHERE user_id = ?1 AND name = ?2;

-- name: secrets_other_key
SELECT user_id, name, key_id, sealed FROM user_secrets WHERE key_id <> ?1 LIMIT 500;

-- name: secret_reseal
UPDATE user_secrets SET key_id = ?4, sealed = ?5 WHERE user_id = ?1 AND name = ?2 AND key_id = ?3;

-- name: usage_get
SELECT requests, audio_ms, characters, tokens_in, tokens_out, day FROM usage_items
WHERE ref = ?1 AND stage = ?2 AND provider = ?3 AND model = ?4 AND own = ?5;

-- name: usage_put
INSERT INTO usage_items (ref, stage, provider, model, own, user_id, day, requests, audio_ms, characters,
    tokens_in, tokens_out)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
ON CONFLICT (ref, stage, provider, model, own) DO UPDATE SET requests = excluded.requests,
    audio_ms = excluded.audio_ms, characters = excluded.characters,
    tokens_in = excluded.tokens_in, tokens_out = excluded.tokens_out;

-- name: usage_add_day
INSERT INTO usage_days (user_id, day, stage, provider, model, own, requests, audio_ms, characters,
    tokens_in, tokens_out)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
ON CONFLICT (user_id, day, stage, provider, model, own) DO UPDATE SET
    requests = usage_days.requests + excluded.requests,
    audio_ms = usage_days.audio_ms + excluded.audio_ms,
    characters = usage_days.characters + excluded.characters,
    tokens_in = usage_days.tokens_in + excluded.tokens_in,
    tokens_out = usage_days.tokens_out + excluded.tokens_out;

-- name: usage_carrier
SELECT i.provider, i.own, i.user_id, c.answered_ms FROM usage_items i JOIN calls c ON c.id = ?2
WHERE i.ref = ?1 AND i.stage = 'carrier';

-- name: usage_sums
SELECT day, stage, provider, model, own, requests, audio_ms, characters, tokens_in, tokens_out
FROM usage_days WHERE user_id = ?1 AND day >= ?2 AND day <= ?3
ORDER BY provider, stage, model, own, day;

-- name: call_user
SELECT user_id FROM calls WHERE id = ?1;
