-- Agents. `fields` comes as one JSON object; a field that is absent keeps its value or default.

-- part: agent_fields
'id', a.id, 'user_id', a.user_id, 'name', a.name, 'prompt_text', a.prompt_text,
    'template_source', a.template_source, 'voice_settings', {{json:a.voice_settings}},
    'llm_model', a.llm_model, 'temperature', {{real:a.temperature}}, 'max_tokens', a.max_tokens,
    'is_active', {{bool:a.is_active}},
    'greeting', a.greeting, 'goodbye', a.goodbye, 'language', a.language,
    'first_speaker', a.first_speaker, 'turn_settings', {{json:a.turn_settings}},
    'knowledge_mode', a.knowledge_mode, 'max_duration_s', a.max_duration_s,
    'extraction', {{json:a.extraction}}, 'voicemail_message', a.voicemail_message, 'tools', {{json:a.tools}},
    'created_at', {{time:a.created_at}}, 'updated_at', {{time:a.updated_at}}

-- name: agent_create
INSERT INTO agents (id, user_id, name, prompt_text) VALUES (?1, ?2, ?3, ?4);

-- name: agent_update
UPDATE agents SET
    name = COALESCE({{field:?3;name}}, name),
    prompt_text = COALESCE({{field:?3;prompt_text}}, prompt_text),
    template_source = CASE WHEN {{has:?3;template_source}} THEN {{field:?3;template_source}} ELSE template_source END,
    voice_settings = COALESCE({{field_json:?3;voice_settings}}, voice_settings),
    llm_model = COALESCE({{field:?3;llm_model}}, llm_model),
    temperature = COALESCE({{field_real:?3;temperature}}, temperature),
    max_tokens = COALESCE({{field_int:?3;max_tokens}}, max_tokens),
    is_active = COALESCE({{field_bool:?3;is_active}}, is_active),
    greeting = CASE WHEN {{has:?3;greeting}} THEN {{field:?3;greeting}} ELSE greeting END,
    goodbye = CASE WHEN {{has:?3;goodbye}} THEN {{field:?3;goodbye}} ELSE goodbye END,
    language = COALESCE({{field:?3;language}}, language),
    first_speaker = COALESCE({{field:?3;first_speaker}}, first_speaker),
    turn_settings = COALESCE({{field_json:?3;turn_settings}}, turn_settings),
    knowledge_mode = COALESCE({{field:?3;knowledge_mode}}, knowledge_mode),
    max_duration_s = COALESCE({{field_int:?3;max_duration_s}}, max_duration_s),
    extraction = COALESCE({{field_json:?3;extraction}}, extraction),
    voicemail_message = CASE WHEN {{has:?3;voicemail_message}} THEN {{field:?3;voicemail_message}} ELSE voicemail_message END,
    tools = COALESCE({{field_json:?3;tools}}, tools),
    updated_at = {{now}}
WHERE id = ?1 AND user_id = ?2;

-- name: agent_get
SELECT {{object}}({{agent_fields}}) FROM agents a WHERE a.id = ?1 AND a.user_id = ?2;

-- name: agents_list
SELECT a.id, {{object}}({{agent_fields}},
    'call_count', (SELECT count(*) FROM calls c WHERE c.agent_id = a.id),
    'avg_duration', COALESCE((SELECT CAST(round(avg(c.duration)) AS INTEGER) FROM calls c WHERE c.agent_id = a.id), 0),
    'last_used', {{time:(SELECT max(c.created_at) FROM calls c WHERE c.agent_id = a.id)}})
FROM agents a WHERE a.user_id = ?1 AND {{before:a.id;?2}} ORDER BY a.id DESC LIMIT ?3;

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
