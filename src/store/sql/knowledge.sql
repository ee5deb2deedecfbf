-- Knowledge: entries, their chunks with a full-text index, their vectors.

-- part: knowledge_json
{{object}}('id', k.id, 'agent_id', k.agent_id, 'title', k.title, 'content', k.content,
    'source_type', k.source_type, 'source_url', k.source_url, 'questions', {{json:k.questions}},
    'created_at', {{time:k.created_at}}, 'updated_at', {{time:COALESCE(k.updated_at, k.created_at)}})

-- part: knowledge_row_json
{{object}}('id', k.id, 'agent_id', k.agent_id, 'title', k.title, 'content', substr(k.content, 1, 10000),
    'length', length(k.content), 'source_type', k.source_type, 'source_url', k.source_url,
    'questions', {{json:k.questions}}, 'created_at', {{time:k.created_at}},
    'updated_at', {{time:COALESCE(k.updated_at, k.created_at)}})

-- name: knowledge_create
INSERT INTO knowledge_base (id, user_id, agent_id, title, content, source_type, source_url, questions, revision)
SELECT {{uuid:?1}}, a.user_id, a.id, {{field:?3;title}}, {{field:?3;content}},
    COALESCE({{field:?3;source_type}}, 'manual'), {{field:?3;source_url}},
    COALESCE({{field_json:?3;questions}}, '[]'), {{int:?4}}
FROM agents a WHERE a.id = {{field_uuid:?3;agent_id}} AND a.user_id = {{uuid:?2}};

-- name: knowledge_update
UPDATE knowledge_base SET
    title = COALESCE({{field:?3;title}}, title),
    content = COALESCE({{field:?3;content}}, content),
    source_type = COALESCE({{field:?3;source_type}}, source_type),
    questions = COALESCE({{field_json:?3;questions}}, questions),
    updated_at = {{now}}, revision = revision + 1
WHERE id = {{uuid:?1}} AND user_id = {{uuid:?2}};

-- name: knowledge_touch
UPDATE knowledge_base SET revision = revision + 1
WHERE id = {{uuid:?1}} AND revision = COALESCE({{int:?2}}, revision);

-- name: knowledge_get
SELECT {{knowledge_json}} FROM knowledge_base k
WHERE k.id = {{uuid:?1}} AND k.user_id = COALESCE({{uuid:?2}}, k.user_id);

-- name: knowledge_list
SELECT k.id, {{knowledge_row_json}} FROM knowledge_base k
WHERE k.user_id = {{uuid:?1}} AND k.agent_id = {{uuid:?2}} AND {{before:k.id;?3}}
ORDER BY k.id DESC LIMIT {{int:?4}};

-- name: knowledge_count
SELECT count(*) FROM knowledge_base WHERE user_id = {{uuid:?1}} AND agent_id = {{uuid:?2}};

-- name: knowledge_list_of
SELECT k.id, {{knowledge_row_json}} FROM knowledge_base k
WHERE k.user_id = {{uuid:?1}} AND k.agent_id = {{uuid:?2}} AND {{knowledge_holds}} AND {{before:k.id;?4}}
ORDER BY k.id DESC LIMIT {{int:?5}};

-- name: knowledge_count_of
SELECT count(*) FROM knowledge_base k
WHERE k.user_id = {{uuid:?1}} AND k.agent_id = {{uuid:?2}} AND {{knowledge_holds}};

-- name: knowledge_delete
DELETE FROM knowledge_base WHERE id = {{uuid:?1}} AND user_id = {{uuid:?2}};

-- name: knowledge_chunks_clear
DELETE FROM knowledge_chunks WHERE knowledge_id = {{uuid:?1}};

-- name: knowledge_chunks_add (sqlite)
INSERT INTO knowledge_chunks (knowledge_id, n, scope, title, content)
SELECT k.id, c.key, replace(COALESCE(k.agent_id, ''), '-', ''),
    k.title || COALESCE((SELECT ' ' || group_concat(q.value, ' ') FROM json_each(k.questions) q), ''), c.value
FROM knowledge_base k, json_each(?2) c WHERE k.id = ?1;

-- name: knowledge_chunks_add (postgres)
INSERT INTO knowledge_chunks (knowledge_id, n, scope, title, content)
SELECT k.id, c.n - 1, replace(COALESCE(k.agent_id::text, ''), '-', ''),
    k.title || COALESCE((SELECT ' ' || string_agg(q, ' ') FROM json_array_elements_text(k.questions) q), ''), c.text
FROM knowledge_base k, json_array_elements_text(?2::json) WITH ORDINALITY AS c (text, n) WHERE k.id = ?1::uuid;

-- name: knowledge_chunks_of
SELECT content FROM knowledge_chunks WHERE knowledge_id = {{uuid:?1}} ORDER BY n;

-- name: knowledge_chunks_count
SELECT count(*) FROM knowledge_base k JOIN knowledge_chunks c ON c.knowledge_id = k.id
WHERE k.agent_id = (SELECT agent_id FROM knowledge_base WHERE id = {{uuid:?1}});

-- name: knowledge_vectors_clear
DELETE FROM knowledge_vectors WHERE knowledge_id = {{uuid:?1}};

-- name: knowledge_vectors_set
INSERT INTO knowledge_vectors (knowledge_id, count, dim, data) VALUES ({{uuid:?1}}, {{int:?2}}, {{int:?3}}, ?4)
ON CONFLICT (knowledge_id) DO UPDATE SET count = excluded.count, dim = excluded.dim, data = excluded.data;

-- name: knowledge_revision
SELECT revision FROM knowledge_base WHERE id = {{uuid:?1}};

-- name: knowledge_stamp
SELECT count(*) || ':' || COALESCE(sum(revision), 0) FROM knowledge_base WHERE agent_id = {{uuid:?1}};

-- name: knowledge_load
SELECT k.id, k.title, CASE WHEN k.source_type = 'answer' OR length(k.content) <= 1500 THEN k.content ELSE '' END,
    k.source_type, k.questions, v.count, v.dim, v.data
FROM knowledge_base k LEFT JOIN knowledge_vectors v ON v.knowledge_id = k.id
WHERE k.agent_id = {{uuid:?1}} ORDER BY k.id;

-- name: knowledge_load_chunks
SELECT c.knowledge_id, c.n, c.content FROM knowledge_base k JOIN knowledge_chunks c ON c.knowledge_id = k.id
WHERE k.agent_id = {{uuid:?1}} ORDER BY c.knowledge_id, c.n;

-- part: knowledge_holds (sqlite)
k.id IN (SELECT c.knowledge_id FROM knowledge_words w JOIN knowledge_chunks c ON c.id = w.rowid
    WHERE w.knowledge_words MATCH 'scope : "' || replace(?2, '-', '') || '" AND (' || ?3 || ')')

-- part: knowledge_holds (postgres)
k.id IN (SELECT c.knowledge_id FROM knowledge_chunks c
    WHERE c.words @@ (('''' || replace({{text:?2}}, '-', '') || '''')::tsquery
        && to_tsquery('english', replace(replace({{text:?3}}, '"', ''''), ' AND ', ' & '))))

-- name: knowledge_unembedded
SELECT k.id FROM knowledge_base k LEFT JOIN knowledge_vectors v ON v.knowledge_id = k.id
WHERE v.knowledge_id IS NULL AND {{after:k.id;?1}} ORDER BY k.id LIMIT 200;
