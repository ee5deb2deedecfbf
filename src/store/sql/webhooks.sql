-- Webhooks and their deliveries.

-- part: webhook_fields
'id', w.id, 'url', w.url, 'description', w.description, 'events', {{json:w.events}},
    'is_active', {{bool:w.is_active}},
    'created_at', {{time:w.created_at}}, 'updated_at', {{time:w.updated_at}}

-- name: webhook_create
INSERT INTO webhooks (id, user_id, url, events, secret) VALUES (?1, ?2, ?3, '[]', ?4);

-- name: webhook_update
UPDATE webhooks SET url = COALESCE({{field:?3;url}}, url),
    description = CASE WHEN {{has:?3;description}} THEN {{field:?3;description}} ELSE description END,
    events = COALESCE({{field_json:?3;events}}, events),
    is_active = COALESCE({{field_bool:?3;is_active}}, is_active),
    updated_at = {{now}}
WHERE id = ?1 AND user_id = ?2;

-- name: webhook_secret_set
UPDATE webhooks SET secret = ?3, updated_at = {{now}}
WHERE id = ?1 AND user_id = ?2;

-- name: webhook_get
SELECT {{object}}({{webhook_fields}}) FROM webhooks w WHERE w.id = ?1 AND w.user_id = ?2;

-- name: webhooks_list
SELECT w.id, {{object}}({{webhook_fields}}) FROM webhooks w
WHERE w.user_id = ?1 AND {{before:w.id;?2}} ORDER BY w.id DESC LIMIT ?3;

-- name: webhooks_count
SELECT count(*) FROM webhooks WHERE user_id = ?1;

-- name: webhook_delete
DELETE FROM webhooks WHERE id = ?1 AND user_id = ?2;

-- name: webhooks_of_call
SELECT w.id, c.user_id FROM webhooks w JOIN calls c ON c.user_id = w.user_id
WHERE c.id = ?1 AND w.is_active AND {{text:?2}} IN {{elements:w.events}};

-- name: webhook_call_json
SELECT {{object}}({{call_fields}}), CASE WHEN c.ended_by_owner THEN 1 ELSE 0 END FROM calls c WHERE c.id = ?1;

-- name: webhook_turns_json
SELECT {{array_agg:{{transcript_json}}}} FROM
    (SELECT * FROM transcripts WHERE call_id = ?1 ORDER BY seq, id) t;

-- name: webhook_contact_of
SELECT {{object}}('phone_number', c.phone_number, 'call_id', c.id, 'agent_id', c.agent_id, 'contact_id',
    (SELECT k.id FROM contacts k WHERE k.user_id = c.user_id AND k.phone_number = c.phone_number),
    'source', (SELECT d.source FROM dnc_numbers d WHERE d.user_id = c.user_id AND d.phone_number = c.phone_number))
FROM calls c WHERE c.id = ?1;

-- name: delivery_add
INSERT INTO webhook_deliveries (id, webhook_id, event, fact, payload, created_ms, next_attempt_ms)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) ON CONFLICT (webhook_id, fact) DO NOTHING;

-- part: delivery_next (sqlite)
strftime('%Y-%m-%dT%H:%M:%fZ', d.next_attempt_ms / 1000.0, 'unixepoch')

-- part: delivery_next (postgres)
{{time:to_timestamp(d.next_attempt_ms / 1000.0)}}

-- part: delivery_fields
'id', d.id, 'webhook_id', d.webhook_id, 'event', d.event, 'status', d.status, 'attempts', d.attempts,
    'response_code', d.response_code, 'response_ms', d.response_ms, 'response_excerpt', d.response_excerpt,
    'error', d.error, 'replay_of', d.replay_of, 'payload', {{json:d.payload}},
    'next_attempt_at', CASE WHEN d.status = 'pending' THEN {{delivery_next}} END,
    'created_at', {{time:d.created_at}}, 'updated_at', {{time:d.updated_at}}

-- name: deliveries_list
SELECT d.id, {{object}}({{delivery_fields}}) FROM webhook_deliveries d
WHERE d.webhook_id = ?1 AND ({{text:?2}} IS NULL OR d.status = {{text:?2}}) AND {{before:d.id;?3}}
ORDER BY d.id DESC LIMIT ?4;

-- name: deliveries_count
SELECT count(*) FROM webhook_deliveries d WHERE d.webhook_id = ?1 AND ({{text:?2}} IS NULL OR d.status = {{text:?2}});

-- name: delivery_get
SELECT {{object}}({{delivery_fields}}) FROM webhook_deliveries d WHERE d.id = ?1 AND d.webhook_id = ?2;

-- name: delivery_replay
INSERT INTO webhook_deliveries (id, webhook_id, event, fact, payload, created_ms, next_attempt_ms, replay_of)
SELECT {{uuid:?1}}, webhook_id, event, 'replay:' || {{text:?1}}, payload, {{int:?4}}, {{int:?4}}, id FROM webhook_deliveries
WHERE id = ?2 AND webhook_id = ?3;

-- name: delivery_load
SELECT w.url, w.secret, d.payload, d.event, d.status, CASE WHEN w.is_active THEN 1 ELSE 0 END, d.webhook_id, w.user_id FROM webhook_deliveries d
JOIN webhooks w ON w.id = d.webhook_id WHERE d.id = ?1;

-- name: delivery_result
UPDATE webhook_deliveries SET status = ?2, attempts = ?3, response_code = ?4, response_ms = ?5,
    response_excerpt = ?6, error = ?7, next_attempt_ms = ?8, updated_at = {{now}}
WHERE id = ?1;

-- name: deliveries_forget
DELETE FROM webhook_deliveries WHERE created_ms < ?1 AND status <> 'pending';
