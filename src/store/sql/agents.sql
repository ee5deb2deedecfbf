-- Agents and knowledge. `fields` comes as one JSON object; a field that is absent keeps its value or default.

-- part: agent_fields
'id', a.id, 'user_id', a.user_id, 'name', a.name, 'prompt_text', a.prompt_text,
    'template_source', a.template_source, 'voice_settings', json(a.voice_settings),
    'llm_model', a.llm_model, 'temperature', a.temperature, 'max_tokens', a.max_tokens,
    'is_active', json(CASE WHEN a.is_active THEN 'true' ELSE 'false' END),
    'greeting', a.greeting, 'goodbye', a.goodbye, 'language', a.language,
    'first_speaker', a.first_speaker, 'turn_settings', json(a.turn_settings),
    'knowledge_mode', a.knowledge_mode, 'max_duration_s', a.max_duration_s,
    'extraction', json(a.extraction), 'voicemail_message', a.voicemail_message, 'tools', json(a.tools),
    'created_at', a.created_at, 'updated_at', a.updated_at

-- name: agent_create
INSERT INTO agents (id, user_id, name, prompt_text) VALUES (?1, ?2, ?3, ?4);

-- name: agent_update
UPDATE agents SET
    name = COALESCE(json_extract(?3, '$.name'), name),
    prompt_text = COALESCE(json_extract(?3, '$.prompt_text'), prompt_text),
    template_source = CASE WHEN json_type(?3, '$.template_source') IS NULL THEN template_source
        ELSE json_extract(?3, '$.template_source') END,
    voice_settings = COALESCE(json_extract(?3, '$.voice_settings'), voice_settings),
    llm_model = COALESCE(json_extract(?3, '$.llm_model'), llm_model),
    temperature = COALESCE(json_extract(?3, '$.temperature'), temperature),
    max_tokens = COALESCE(json_extract(?3, '$.max_tokens'), max_tokens),
    is_active = COALESCE(json_extract(?3, '$.is_active'), is_active),
    greeting = CASE WHEN json_type(?3, '$.greeting') IS NULL THEN greeting
        ELSE json_extract(?3, '$.greeting') END,
    goodbye = CASE WHEN json_type(?3, '$.goodbye') IS NULL THEN goodbye
        ELSE json_extract(?3, '$.goodbye') END,
    language = COALESCE(json_extract(?3, '$.language'), language),
    first_speaker = COALESCE(json_extract(?3, '$.first_speaker'), first_speaker),
    turn_settings = COALESCE(json_extract(?3, '$.turn_settings'), turn_settings),
    knowledge_mode = COALESCE(json_extract(?3, '$.knowledge_mode'), knowledge_mode),
    max_duration_s = COALESCE(json_extract(?3, '$.max_duration_s'), max_duration_s),
    extraction = COALESCE(json_extract(?3, '$.extraction'), extraction),
    voicemail_message = CASE WHEN json_type(?3, '$.voicemail_message') IS NULL
        THEN voicemail_message ELSE json_extract(?3, '$.voicemail_message') END,
    tools = COALESCE(json_extract(?3, '$.tools'), tools),
    updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
WHERE id = ?1 AND user_id = ?2;

-- name: agent_get
SELECT json_object({{agent_fields}}) FROM agents a WHERE a.id = ?1 AND a.user_id = ?2;

-- name: agents_list
SELECT a.id, json_object({{agent_fields}}, 'call_count', count(c.id),
    'avg_duration', COALESCE(CAST(round(avg(c.duration)) AS INTEGER), 0),
    'last_used', max(c.created_at))
FROM (SELECT * FROM agents WHERE user_id = ?1 AND id < COALESCE(?2, '~') ORDER BY id DESC LIMIT ?3) a
LEFT JOIN calls c ON c.agent_id = a.id
GROUP BY a.id ORDER BY a.id DESC;

-- name: agents_count
SELECT count(*) FROM agents WHERE user_id = ?1;

-- name: agent_delete
DELETE FROM agents WHERE id = ?1 AND user_id = ?2;

-- part: knowledge_json
json_object('id', k.id, 'agent_id', k.agent_id, 'title', k.title, 'content', k.content,
    'source_type', k.source_type, 'source_url', k.source_url, 'questions', json(k.questions),
    'created_at', k.created_at)

-- name: knowledge_create
INSERT INTO knowledge_base (id, user_id, agent_id, title, content, source_type, source_url, questions)
SELECT ?1, a.user_id, a.id, json_extract(?3, '$.title'), json_extract(?3, '$.content'),
    COALESCE(json_extract(?3, '$.source_type'), 'manual'), json_extract(?3, '$.source_url'),
    COALESCE(json_extract(?3, '$.questions'), '[]')
FROM agents a WHERE a.id = json_extract(?3, '$.agent_id') AND a.user_id = ?2;

-- name: knowledge_get
SELECT {{knowledge_json}} FROM knowledge_base k WHERE k.id = ?1;

-- name: knowledge_list
SELECT k.id, {{knowledge_json}} FROM knowledge_base k
WHERE k.user_id = ?1 AND k.agent_id = ?2 AND k.id < COALESCE(?3, '~') ORDER BY k.id DESC LIMIT ?4;

-- name: knowledge_count
SELECT count(*) FROM knowledge_base WHERE user_id = ?1 AND agent_id = ?2;

-- name: knowledge_delete
DELETE FROM knowledge_base WHERE id = ?1 AND user_id = ?2;

-- name: knowledge_vectors_set
INSERT INTO knowledge_vectors (knowledge_id, count, dim, data) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (knowledge_id) DO UPDATE SET count = ?2, dim = ?3, data = ?4;

-- name: knowledge_load
SELECT k.id, k.title, k.content, k.source_type, k.questions, v.count, v.dim, v.data
FROM knowledge_base k LEFT JOIN knowledge_vectors v ON v.knowledge_id = k.id
WHERE k.agent_id = ?1 ORDER BY k.id;
