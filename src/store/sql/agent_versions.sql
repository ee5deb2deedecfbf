-- What an agent was like, and what its calls sum up to.

-- name: agent_lock
SELECT {{object}}({{agent_fields}}) FROM agents a WHERE a.id = ?1 AND a.user_id = ?2 {{for_update:a}};

-- name: agent_version_bump
UPDATE agents SET version = version + 1 WHERE id = ?1;

-- name: agent_version_put
INSERT INTO agent_versions (agent_id, version, data, changed) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (agent_id, version) DO NOTHING;

-- name: agent_versions_list
SELECT v.version, {{object}}('version', v.version, 'changed', {{json:v.changed}}, 'created_at', {{time:v.created_at}})
FROM agent_versions v JOIN agents a ON a.id = v.agent_id
WHERE v.agent_id = ?1 AND a.user_id = ?2 AND v.version < ?3 ORDER BY v.version DESC LIMIT ?4;

-- name: agent_versions_count
SELECT count(*) FROM agent_versions WHERE agent_id = ?1;

-- name: agent_version_get
SELECT {{object}}('agent_id', v.agent_id, 'version', v.version, 'changed', {{json:v.changed}},
    'created_at', {{time:v.created_at}}, 'data', {{json:v.data}})
FROM agent_versions v JOIN agents a ON a.id = v.agent_id
WHERE v.agent_id = ?1 AND a.user_id = ?2 AND v.version = ?3;

-- name: agent_stats_create
INSERT INTO agent_stats (agent_id) VALUES (?1);

-- name: agent_stats_begin
UPDATE agent_stats SET call_count = call_count + 1,
    last_used = (SELECT c.created_at FROM calls c WHERE c.id = ?1)
WHERE agent_id = (SELECT c.agent_id FROM calls c WHERE c.id = ?1);

-- name: agent_stats_end
UPDATE agent_stats SET
    duration_sum = duration_sum + (SELECT COALESCE(c.duration, 0) - COALESCE(c.counted_s, 0) FROM calls c WHERE c.id = ?1),
    timed_count = timed_count + (SELECT CASE WHEN c.duration IS NULL THEN 0 ELSE 1 END
        - CASE WHEN c.counted_s IS NULL THEN 0 ELSE 1 END FROM calls c WHERE c.id = ?1)
WHERE agent_id = (SELECT c.agent_id FROM calls c WHERE c.id = ?1);

-- name: agent_stats_counted
UPDATE calls SET counted_s = duration WHERE id = ?1;

-- name: agent_stats_remove
UPDATE agent_stats SET call_count = call_count - 1,
    duration_sum = duration_sum - (SELECT COALESCE(c.counted_s, 0) FROM calls c WHERE c.id = ?1),
    timed_count = timed_count - (SELECT CASE WHEN c.counted_s IS NULL THEN 0 ELSE 1 END FROM calls c WHERE c.id = ?1),
    last_used = (SELECT max(o.created_at) FROM calls o WHERE o.agent_id = agent_stats.agent_id AND o.id <> ?1)
WHERE agent_id = (SELECT c.agent_id FROM calls c WHERE c.id = ?1);

-- name: agent_stats_wrong
SELECT {{object}}('agent_id', a.id, 'name', a.name, 'call_count', n.call_count, 'calls', count(c.id),
    'duration_sum', n.duration_sum, 'durations', COALESCE(sum(c.duration), 0))
FROM agents a LEFT JOIN agent_stats n ON n.agent_id = a.id LEFT JOIN calls c ON c.agent_id = a.id
GROUP BY a.id, a.name, n.agent_id, n.call_count, n.timed_count, n.duration_sum, n.last_used
HAVING n.agent_id IS NULL OR n.call_count <> count(c.id) OR n.timed_count <> count(c.duration)
    OR n.duration_sum <> COALESCE(sum(c.duration), 0)
    OR (n.last_used IS NULL) <> (max(c.created_at) IS NULL) OR n.last_used <> max(c.created_at)
LIMIT 100;

-- name: knowledge_copy_ids
SELECT id FROM knowledge_base WHERE agent_id = ?1 AND user_id = ?2 ORDER BY id;

-- name: knowledge_copy
INSERT INTO knowledge_base (id, user_id, agent_id, title, content, source_type, source_url, questions, revision)
SELECT {{uuid:?1}}, user_id, {{uuid:?3}}, title, content, source_type, source_url, questions, 0
FROM knowledge_base WHERE id = {{uuid:?2}};

-- name: knowledge_copy_chunks
INSERT INTO knowledge_chunks (knowledge_id, n, scope, title, content)
SELECT {{uuid:?1}}, n, {{text:?3}}, title, content FROM knowledge_chunks WHERE knowledge_id = {{uuid:?2}} ORDER BY n;

-- name: knowledge_copy_vectors
INSERT INTO knowledge_vectors (knowledge_id, count, dim, data)
SELECT {{uuid:?1}}, count, dim, data FROM knowledge_vectors WHERE knowledge_id = {{uuid:?2}};
