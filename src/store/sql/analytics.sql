-- Sums over calls. ?1 user, ?2 agent or null, ?3 from, ?4 to (not included).

-- part: an_calls
FROM calls c WHERE c.user_id = ?1 AND ({{uuid:?2}} IS NULL OR c.agent_id = ?2)
    AND c.created_at >= ?3 AND c.created_at < ?4

-- name: an_summary
SELECT {{object}}('calls', count(*), 'answered', count(c.answered_at),
    'completed', COALESCE(sum(CASE WHEN c.status = 'completed' THEN 1 ELSE 0 END), 0),
    'failed', COALESCE(sum(CASE WHEN c.status = 'failed' THEN 1 ELSE 0 END), 0),
    'busy', COALESCE(sum(CASE WHEN c.status = 'busy' THEN 1 ELSE 0 END), 0),
    'no_answer', COALESCE(sum(CASE WHEN c.status = 'no-answer' THEN 1 ELSE 0 END), 0),
    'canceled', COALESCE(sum(CASE WHEN c.status = 'canceled' THEN 1 ELSE 0 END), 0),
    'live', COALESCE(sum(CASE WHEN c.status IN {{open_status}} THEN 1 ELSE 0 END), 0),
    'talk_s', COALESCE(sum(c.duration), 0), 'timed', count(c.duration))
{{an_calls}};

-- name: an_days
SELECT {{object}}('date', {{day:c.created_at}}, 'calls', count(*), 'answered', count(c.answered_at),
    'completed', COALESCE(sum(CASE WHEN c.status = 'completed' THEN 1 ELSE 0 END), 0),
    'talk_s', COALESCE(sum(c.duration), 0))
{{an_calls}} GROUP BY {{day:c.created_at}} ORDER BY {{day:c.created_at}} LIMIT 1000;

-- name: an_outcomes
SELECT c.outcome, count(*) {{an_calls}} AND c.outcome IS NOT NULL GROUP BY c.outcome ORDER BY count(*) DESC, c.outcome;

-- name: an_sentiments
SELECT c.sentiment, count(*) {{an_calls}} AND c.sentiment IS NOT NULL
GROUP BY c.sentiment ORDER BY count(*) DESC, c.sentiment;

-- name: an_statuses
SELECT c.status, count(*) {{an_calls}} GROUP BY c.status ORDER BY count(*) DESC, c.status;

-- name: an_agents
SELECT {{object}}('agent_id', s.agent_id, 'name', a.name, 'calls', s.calls, 'answered', s.answered,
    'completed', s.completed, 'positive', s.positive, 'talk_s', s.talk_s, 'timed', s.timed)
FROM (SELECT c.agent_id, count(*) AS calls, count(c.answered_at) AS answered,
        COALESCE(sum(CASE WHEN c.status = 'completed' THEN 1 ELSE 0 END), 0) AS completed,
        COALESCE(sum(CASE WHEN c.outcome IN ('interested', 'booked', 'callback', 'transferred') THEN 1 ELSE 0 END), 0)
            AS positive, COALESCE(sum(c.duration), 0) AS talk_s, count(c.duration) AS timed
    {{an_calls}} GROUP BY c.agent_id) s
LEFT JOIN agents a ON a.id = s.agent_id ORDER BY s.calls DESC, a.name LIMIT 200;

-- name: an_latency
SELECT {{field_int:t.metadata;endpoint_ms}}, {{field_int:t.metadata;stt_ms}}, {{field_int:t.metadata;lookup_ms}},
    {{field_int:t.metadata;llm_ms}}, {{field_int:t.metadata;tts_ms}}, {{field_int:t.metadata;first_audio_ms}}
FROM (SELECT c.id {{an_calls}} AND c.answered_at IS NOT NULL ORDER BY c.created_at DESC LIMIT 2000) r
JOIN transcripts t ON t.call_id = r.id
WHERE t.speaker = 'ai' LIMIT 20000;
