-- What becomes of calls that are kept: removed, shared, forgotten after a while.

-- name: call_for_removal
SELECT c.recording, c.status IN {{open_status}} FROM calls c WHERE c.id = ?1 AND c.user_id = ?2 {{for_update:c}};

-- name: call_remove
DELETE FROM calls WHERE id = ?1;

-- name: share_create
INSERT INTO call_shares (id, call_id, user_id, token_sha256, recording, expires_at)
SELECT ?1, c.id, c.user_id, ?4, ?5, {{timestamp:?6}} FROM calls c WHERE c.id = ?2 AND c.user_id = ?3;

-- part: share_json
{{object}}('id', s.id, 'call_id', s.call_id, 'recording', {{bool:s.recording}}, 'views', s.views,
    'created_at', {{time:s.created_at}}, 'expires_at', {{time:s.expires_at}})

-- name: share_get
SELECT {{share_json}} FROM call_shares s WHERE s.id = ?1;

-- name: shares_list
SELECT s.id, {{share_json}} FROM call_shares s
WHERE s.call_id = ?1 AND s.user_id = ?2 AND {{before:s.id;?3}} ORDER BY s.id DESC LIMIT ?4;

-- name: shares_count
SELECT count(*) FROM call_shares WHERE call_id = ?1 AND user_id = ?2;

-- name: share_delete
DELETE FROM call_shares WHERE id = ?1 AND call_id = ?2 AND user_id = ?3;

-- name: shares_expire
DELETE FROM call_shares WHERE expires_at <= ?1;

-- name: share_viewed
UPDATE call_shares SET views = views + 1 WHERE token_sha256 = ?1 AND expires_at > ?2;

-- name: share_open
SELECT {{object}}('status', c.status, 'phone_number', '…' || substr(c.phone_number, length(c.phone_number) - 3),
    'agent_name', a.name, 'direction', c.direction, 'duration', c.duration, 'outcome', c.outcome,
    'sentiment', c.sentiment, 'created_at', {{time:c.created_at}}, 'ended_at', {{time:c.ended_at}},
    'recording', {{bool:s.recording AND c.recording IS NOT NULL}}, 'expires_at', {{time:s.expires_at}},
    'summary', n.summary, 'key_points', {{json:COALESCE(n.key_points, '[]')}},
    'transcripts', {{json:(SELECT {{array_agg:j}} FROM (
        SELECT {{object}}('speaker', t.speaker, 'text', t.text, 'timestamp', {{time:t.timestamp}}) AS j
        FROM transcripts t WHERE t.call_id = c.id ORDER BY t.seq, t.id) x)}})
FROM call_shares s JOIN calls c ON c.id = s.call_id LEFT JOIN agents a ON a.id = c.agent_id
LEFT JOIN call_analyses n ON n.call_id = c.id
WHERE s.token_sha256 = ?1 AND s.expires_at > ?2;

-- name: share_recording
SELECT c.recording FROM call_shares s JOIN calls c ON c.id = s.call_id
WHERE s.token_sha256 = ?1 AND s.expires_at > ?2 AND s.recording;

-- name: retention_users
SELECT user_id, COALESCE(recording_days, 0), COALESCE(transcript_days, 0) FROM user_limits
WHERE recording_days > 0 OR transcript_days > 0 ORDER BY user_id;

-- name: retention_recordings
SELECT id, recording FROM calls WHERE user_id = ?1 AND created_at < ?2 AND recording IS NOT NULL
    AND status NOT IN {{open_status}} ORDER BY created_at LIMIT 100;

-- name: recording_forget
UPDATE calls SET recording = NULL WHERE id = ?1 AND recording = ?2;

-- name: recording_where
SELECT recording FROM calls WHERE id = ?1;

-- name: recording_moved
UPDATE calls SET recording = ?3 WHERE id = ?1 AND recording = ?2;

-- name: retention_transcripts
DELETE FROM transcripts WHERE call_id IN (SELECT id FROM calls WHERE user_id = ?1 AND created_at < ?2
    AND status NOT IN {{open_status}});

-- name: retention_analyses
DELETE FROM call_analyses WHERE call_id IN (SELECT id FROM calls WHERE user_id = ?1 AND created_at < ?2
    AND status NOT IN {{open_status}});

-- name: retention_events
DELETE FROM call_events WHERE call_id IN (SELECT id FROM calls WHERE user_id = ?1 AND created_at < ?2
    AND status NOT IN {{open_status}});

-- name: events_last
SELECT COALESCE(max(id), 0) FROM call_events;

-- name: events_after (postgres)
WITH page AS (
    SELECT e.*, lag(e.id, 1, ?1) OVER (ORDER BY e.id) AS before FROM call_events e WHERE e.id > ?1 ORDER BY e.id LIMIT ?2)
SELECT e.id, c.user_id, e.call_id, e.kind, e.data, {{time:e.at}}, c.agent_id FROM page e JOIN calls c ON c.id = e.call_id
WHERE e.id < COALESCE((SELECT min(g.id) FROM page g
    WHERE g.id > g.before + 1 AND g.made_at > clock_timestamp() - interval '2 seconds'), 9223372036854775807)
ORDER BY e.id;

-- name: events_after (sqlite)
SELECT e.id, c.user_id, e.call_id, e.kind, e.data, {{time:e.at}}, c.agent_id
FROM call_events e JOIN calls c ON c.id = e.call_id WHERE e.id > ?1 ORDER BY e.id LIMIT ?2;

-- name: events_after_of_user
SELECT e.id, c.user_id, e.call_id, e.kind, e.data, {{time:e.at}}, c.agent_id
FROM call_events e JOIN calls c ON c.id = e.call_id
WHERE e.id > ?1 AND e.id <= ?4 AND c.user_id = ?3 ORDER BY e.id LIMIT ?2;

-- name: events_after_of_call
SELECT e.id, c.user_id, e.call_id, e.kind, e.data, {{time:e.at}}, c.agent_id
FROM call_events e JOIN calls c ON c.id = e.call_id
WHERE e.call_id = ?3 AND e.id > ?1 AND e.id <= ?4 ORDER BY e.id LIMIT ?2;
