-- Calls. Final statuses: completed, failed, busy, no-answer, canceled.

-- part: open_status
('initiated', 'queued', 'ringing', 'in-progress')

-- part: transcript_json
{{object}}('id', t.id, 'speaker', t.speaker, 'text', t.text, 'timestamp', {{time:t.timestamp}},
    'metadata', {{json:t.metadata}})

-- part: call_fields
'id', c.id, 'user_id', c.user_id, 'agent_id', c.agent_id,
    'phone_number', c.phone_number, 'status', c.status, 'twilio_sid', c.twilio_sid,
    'duration', c.duration, 'outcome', c.outcome, 'sentiment', c.sentiment,
    'metadata', {{json:c.metadata}}, 'created_at', {{time:c.created_at}}, 'answered_at', {{time:c.answered_at}},
    'ended_at', {{time:c.ended_at}}, 'ended_reason', c.ended_reason, 'direction', c.direction,
    'caller_id', {{field:c.options;caller_id}},
    'purpose', {{field:c.options;purpose}},
    'recording_url', CASE WHEN c.recording IS NULL THEN NULL ELSE '/calls/' || c.id || '/recording' END

-- name: call_create
INSERT INTO calls (id, user_id, agent_id, phone_number, metadata, options)
SELECT ?1, a.user_id, a.id, ?4, ?5, ?6 FROM agents a WHERE a.id = ?3 AND a.user_id = ?2;

-- name: idempotency_get
SELECT call_id, fingerprint FROM idempotency WHERE user_id = ?1 AND key = ?2;

-- name: idempotency_put
INSERT INTO idempotency (user_id, key, fingerprint, call_id) VALUES (?1, ?2, ?3, ?4);

-- name: call_get
SELECT {{object}}({{call_fields}}, 'variables', {{json:COALESCE({{field_json:c.options;variables}}, {{json:'{}'}})}},
    'recording', c.recording, 'metrics', {{json:c.metrics}},
    'transcripts', {{json:(SELECT {{array_agg:j}} FROM (
        SELECT {{transcript_json}} AS j FROM transcripts t
        WHERE t.call_id = c.id ORDER BY t.seq, t.id) x)}})
FROM calls c WHERE c.id = ?1 AND c.user_id = ?2;

-- part: calls_where
c.user_id = ?1
    AND ({{uuid:?2}} IS NULL OR c.agent_id = ?2) AND ({{text:?3}} IS NULL OR c.status = ?3)
    AND ({{text:?4}} IS NULL OR c.outcome = ?4) AND ({{text:?5}} IS NULL OR c.sentiment = ?5)
    AND ({{text:?6}} IS NULL OR c.direction = ?6) AND ({{text:?7}} IS NULL OR c.phone_number LIKE '%' || ?7 || '%')
    AND ({{timestamp:?8}} IS NULL OR c.created_at >= ?8) AND ({{timestamp:?9}} IS NULL OR c.created_at < ?9)
    AND ({{text:?10}} IS NULL OR EXISTS (SELECT 1 FROM transcripts t
        WHERE t.call_id = c.id AND t.text {{like}} ?10 ESCAPE '!'))

-- name: calls_list
SELECT c.id, {{object}}({{call_fields}})
FROM calls c WHERE {{calls_where}} AND {{before:c.id;?11}}
ORDER BY c.id DESC LIMIT ?12;

-- name: calls_count_all
SELECT count(*) FROM calls WHERE user_id = ?1;

-- name: calls_count
SELECT count(*) FROM calls c WHERE {{calls_where}};

-- name: call_owned
SELECT 1 FROM calls WHERE id = ?1 AND user_id = ?2;

-- name: call_transcripts
SELECT t.id, {{transcript_json}} FROM transcripts t WHERE t.call_id = ?1 ORDER BY t.seq, t.id;

-- name: call_analysis
SELECT {{object}}('call_id', c.id, 'status', COALESCE(n.status, 'pending'),
    'sentiment', n.sentiment, 'outcome', n.outcome, 'summary', n.summary,
    'key_points', {{json:COALESCE(n.key_points, '[]')}}, 'intents', {{json:COALESCE(n.intents, '[]')}},
    'follow_up', n.follow_up, 'extracted', {{json:COALESCE(n.extracted, '{}')}}, 'method', n.method,
    'notes', {{json:COALESCE(n.notes, '[]')}}, 'error', n.error, 'created_at', {{time:n.created_at}})
FROM calls c LEFT JOIN call_analyses n ON n.call_id = c.id WHERE c.id = ?1 AND c.user_id = ?2;

-- name: call_recording
SELECT recording FROM calls WHERE id = ?1 AND user_id = ?2;

-- name: call_control
SELECT c.status, c.twilio_sid, g.control_url FROM calls c
LEFT JOIN gateways g ON g.id = c.gateway_id WHERE c.id = ?1 AND c.user_id = ?2;

-- name: call_load
SELECT {{object}}('id', c.id, 'user_id', c.user_id, 'agent_id', c.agent_id,
    'phone_number', c.phone_number, 'status', c.status, 'twilio_sid', c.twilio_sid,
    'outcome', c.outcome, 'ended_reason', c.ended_reason, 'duration', c.duration,
    'answered_at', {{time:c.answered_at}}, 'metadata', {{json:c.metadata}}, 'options', {{json:c.options}},
    'variables', {{json:COALESCE({{field_json:c.options;variables}}, {{json:'{}'}})}},
    'greeting', {{field:c.options;greeting}},
    'llm_model', {{field:c.options;llm_model}},
    'caller_id', {{field:c.options;caller_id}},
    'purpose', {{field:c.options;purpose}},
    'max_duration_s', COALESCE({{field_int:c.options;max_duration_s}}, a.max_duration_s, 600),
    'created_at', {{time:c.created_at}}, 'gateway_id', c.gateway_id, 'recording', c.recording),
    CASE WHEN a.id IS NULL THEN NULL ELSE {{object}}({{agent_fields}}) END,
    (SELECT {{array_agg:j}} FROM (
        SELECT {{object}}('speaker', t.speaker, 'text', t.text, 'metadata', {{json:t.metadata}}) AS j
        FROM transcripts t WHERE t.call_id = c.id ORDER BY t.seq, t.id) x),
    (SELECT {{object}}('name', k.name, 'email', k.email, 'phone_number', k.phone_number, 'time_zone', k.time_zone,
        'custom_fields', {{json:k.custom_fields}})
        FROM contacts k WHERE k.user_id = c.user_id AND k.phone_number = c.phone_number)
FROM calls c LEFT JOIN agents a ON a.id = c.agent_id WHERE c.id = ?1;

-- name: call_set_sid
UPDATE calls SET twilio_sid = ?2, dialed_ms = ?3,
    updated_at = {{now}}
WHERE id = ?1 AND (twilio_sid IS NULL OR twilio_sid = ?2);

-- name: call_peek
SELECT twilio_sid, status, ended_reason FROM calls WHERE id = ?1;

-- name: attempt_get
SELECT state, started_ms, tries FROM dial_attempts WHERE call_id = ?1;

-- name: attempt_begin
INSERT INTO dial_attempts (call_id, to_number, from_number, state, started_ms)
VALUES (?1, ?2, ?3, 'undecided', ?4)
ON CONFLICT (call_id) DO UPDATE SET state = 'undecided', started_ms = ?4, tries = dial_attempts.tries + 1,
    from_number = ?3;

-- name: attempt_end
UPDATE dial_attempts SET state = ?2, code = ?3, why = ?4 WHERE call_id = ?1;

-- name: call_progress
UPDATE calls SET status = ?2, answered_at = CASE WHEN ?2 = 'in-progress'
        THEN COALESCE(answered_at, ?3) ELSE answered_at END,
    answered_ms = CASE WHEN ?2 = 'in-progress' THEN COALESCE(answered_ms, ?4) ELSE answered_ms END,
    updated_at = ?3
WHERE id = ?1 AND status IN {{open_status}}
    AND CASE status WHEN 'initiated' THEN 0 WHEN 'queued' THEN 1 WHEN 'ringing' THEN 2 ELSE 3 END
        < CASE ?2 WHEN 'queued' THEN 1 WHEN 'ringing' THEN 2 WHEN 'in-progress' THEN 3 ELSE 0 END;

-- name: call_exists
SELECT 1 FROM calls WHERE id = ?1;

-- name: call_take
UPDATE calls SET status = 'in-progress', gateway_id = ?2, taken_ms = ?4, token_used = TRUE,
    answered_at = COALESCE(answered_at, ?5), answered_ms = COALESCE(answered_ms, ?4),
    updated_at = ?5
WHERE id = ?1 AND token_sha256 = ?3 AND NOT token_used AND token_expires_ms > ?4
    AND status IN {{open_status}};

-- name: call_token_get
SELECT token_sha256, token_used, token_expires_ms, status IN {{open_status}} FROM calls
WHERE id = ?1 {{for_update}};

-- name: call_token_set
UPDATE calls SET token_sha256 = ?2, token_expires_ms = ?3, token_used = FALSE WHERE id = ?1;

-- name: turn_append
INSERT INTO transcripts (id, call_id, speaker, text, timestamp, metadata, seq)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO NOTHING;

-- name: turn_update
UPDATE transcripts SET text = ?2, metadata = COALESCE(?3, metadata) WHERE id = ?1
RETURNING call_id, {{turn_event}};

-- name: turn_withdraw
DELETE FROM transcripts WHERE id = ?1 RETURNING call_id, {{object}}('id', id, 'seq', seq,
    'speaker', speaker, 'text', '', 'timestamp', {{time:timestamp}}, 'metadata', {{json:metadata}});

-- part: turn_event
{{object}}('id', id, 'seq', seq, 'speaker', speaker, 'text', text, 'timestamp', {{time:timestamp}},
    'metadata', {{json:metadata}})

-- name: turn_event_get
SELECT {{turn_event}} FROM transcripts WHERE id = ?1;

-- name: event_add (sqlite)
INSERT INTO call_events (call_id, kind, data, at) VALUES (?1, ?2, ?3, ?4);

-- name: event_add (postgres)
INSERT INTO call_events (call_id, kind, data, at)
SELECT {{uuid:?1}}, ?2, ?3, ?4 FROM (SELECT pg_advisory_xact_lock(hashtextextended(?1::text, 1))) AS in_turn;

-- name: events_list
SELECT {{object}}('id', id, 'kind', kind, 'data', {{json:data}}, 'at', {{time:at}}) FROM call_events
WHERE call_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3;

-- name: call_end
UPDATE calls SET status = ?2, ended_reason = ?3, outcome = COALESCE(?4, outcome), ended_at = ?5,
    duration = CASE WHEN answered_ms IS NULL THEN NULL
        ELSE CAST(({{greatest}}(?6 - answered_ms, 0) + 500) / 1000 AS INTEGER) END,
    recording = COALESCE(?7, recording), metrics = COALESCE(?8, metrics),
    ended_by_owner = ?9, updated_at = ?5
WHERE id = ?1 AND (status IN {{open_status}} OR (?9 AND NOT ended_by_owner));

-- name: dnc_add
INSERT INTO dnc_numbers (user_id, phone_number, source, call_id) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (user_id, phone_number) DO NOTHING;

-- name: dnc_has
SELECT 1 FROM dnc_numbers WHERE user_id = ?1 AND phone_number = ?2;

-- name: gateway_beat
INSERT INTO gateways (id, control_url, beat_ms) VALUES (?1, ?2, ?3)
ON CONFLICT (id) DO UPDATE SET control_url = ?2, beat_ms = {{greatest}}(gateways.beat_ms, ?3);

-- name: gateway_leave
DELETE FROM gateways WHERE id = ?1;

-- name: gateways_forget
DELETE FROM gateways WHERE beat_ms < ?1
    AND id NOT IN (SELECT gateway_id FROM calls WHERE status IN {{open_status}} AND gateway_id IS NOT NULL);

-- name: gateways_count
SELECT count(*) FROM gateways WHERE beat_ms >= ?1;

-- name: calls_lost
SELECT c.id FROM calls c LEFT JOIN gateways g ON g.id = c.gateway_id
WHERE c.status = 'in-progress' AND c.gateway_id IS NOT NULL
    AND c.taken_ms < ?1 AND COALESCE(g.beat_ms, 0) < ?1
ORDER BY c.id LIMIT 100;

-- name: calls_stale
SELECT {{object}}('id', c.id, 'status', c.status, 'twilio_sid', c.twilio_sid,
    'phone_number', c.phone_number, 'dialed_ms', c.dialed_ms)
FROM calls c WHERE c.status IN {{open_status}} AND c.gateway_id IS NULL
    AND c.twilio_sid IS NOT NULL AND c.dialed_ms < ?1
ORDER BY c.dialed_ms LIMIT 50;

-- name: analysis_put
INSERT INTO call_analyses (call_id, status, sentiment, outcome, summary, key_points, intents,
    follow_up, extracted, method, notes, error)
SELECT id, ?2, {{field:?3;sentiment}}, {{field:?3;outcome}},
    {{field:?3;summary}}, COALESCE({{field_json:?3;key_points}}, {{json:'[]'}}),
    COALESCE({{field_json:?3;intents}}, {{json:'[]'}}), {{field:?3;follow_up}},
    COALESCE({{field_json:?3;extracted}}, {{json:'{}'}}), {{field:?3;method}},
    COALESCE({{field_json:?3;notes}}, {{json:'[]'}}), ?4
FROM calls WHERE id = ?1
ON CONFLICT (call_id) DO UPDATE SET status = excluded.status, sentiment = excluded.sentiment,
    outcome = excluded.outcome, summary = excluded.summary, key_points = excluded.key_points,
    intents = excluded.intents, follow_up = excluded.follow_up, extracted = excluded.extracted,
    method = excluded.method, notes = excluded.notes, error = excluded.error,
    created_at = excluded.created_at;

-- name: call_set_outcome
UPDATE calls SET outcome = COALESCE(?2, outcome), sentiment = COALESCE(?3, sentiment) WHERE id = ?1;
