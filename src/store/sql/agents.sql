-- Agents. `fields` comes as one JSON object; a field that is absent keeps its value or default.

-- part: agent_fields
'id', a.id, 'user_id', a.user_id, 'name', a.name, 'prompt_text', a.prompt_text,
    'template_source', a.template_source, 'voice_settings', {{json:a.voice_settings}},
    'llm_model', a.llm_model, 'temperature', {{real:a.temperature}}, 'max_tokens', a.max_tokens,
    'is_active', {{bool:a.is_active}},
    'greeting', a.greeting, 'goodbye', a.goodbye, 'language', a.language,
    'first_speaker', a.first_speaker, 'turn_settings', {{json:a.turn_settings}},
    'knowledge_mode', a.knowledge_mode, 'max_duration_s', a.max_duration_s,
    'extraction', {{json:a.extraction}}, 'voicemail_message', a.voicemail_message,
    'voicemail_policy', a.voicemail_policy, 'tools', {{json:a.tools}}, 'providers', {{json:a.providers}},
    'warnings', {{json:a.warnings}}, 'version', a.version,
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
    voicemail_policy = COALESCE({{field:?3;voicemail_policy}},
        CASE WHEN {{field:?3;voicemail_message}} IS NOT NULL THEN 'leave_message' END, voicemail_policy),
    tools = COALESCE({{field_json:?3;tools}}, tools),
    providers = COALESCE({{field_json:?3;providers}}, providers),
    warnings = COALESCE({{field_json:?3;warnings}}, warnings),
    updated_at = {{now}}
WHERE id = ?1 AND user_id = ?2;

-- name: agent_get
SELECT {{object}}({{agent_fields}}) FROM agents a WHERE a.id = ?1 AND a.user_id = ?2;

-- name: agents_list
SELECT a.id, {{object}}({{agent_fields}}, 'call_count', COALESCE(n.call_count, 0),
    'avg_duration', {{agent_avg}}, 'last_used', {{time:n.last_used}})
FROM agents a LEFT JOIN agent_stats n ON n.agent_id = a.id
WHERE a.user_id = ?1 AND {{before:a.id;?2}} ORDER BY a.id DESC LIMIT ?3;

-- part: agent_avg (sqlite)
CASE WHEN n.timed_count > 0 THEN CAST(round(1.0 * n.duration_sum / n.timed_count) AS INTEGER) ELSE 0 END

-- part: agent_avg (postgres)
CASE WHEN n.timed_count > 0 THEN round(n.duration_sum::numeric / n.timed_count)::bigint ELSE 0 END

-- name: agents_count
SELECT count(*) FROM agents WHERE user_id = ?1;

-- name: agent_delete
DELETE FROM agents WHERE id = ?1 AND user_id = ?2;
