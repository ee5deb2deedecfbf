-- Numbers that a user may be called at, and who answers.

-- part: phone_number_json
{{object}}('id', p.id, 'phone_number', p.phone_number, 'label', p.label, 'agent_id', p.agent_id,
    'agent_name', a.name, 'created_at', {{time:p.created_at}}, 'updated_at', {{time:p.updated_at}})

-- name: phone_number_create
INSERT INTO phone_numbers (id, user_id, phone_number) VALUES (?1, ?2, ?3)
ON CONFLICT (user_id, phone_number) DO NOTHING;

-- name: phone_number_update
UPDATE phone_numbers SET
    label = CASE WHEN {{has:?3;label}} THEN {{field:?3;label}} ELSE label END,
    agent_id = CASE WHEN {{has:?3;agent_id}} THEN {{field_uuid:?3;agent_id}} ELSE agent_id END,
    updated_at = {{now}}
WHERE id = ?1 AND user_id = ?2;

-- name: phone_number_get
SELECT {{phone_number_json}} FROM phone_numbers p LEFT JOIN agents a ON a.id = p.agent_id
WHERE p.id = ?1 AND p.user_id = ?2;

-- name: phone_numbers_list
SELECT p.id, {{phone_number_json}} FROM phone_numbers p LEFT JOIN agents a ON a.id = p.agent_id
WHERE p.user_id = ?1 AND {{before:p.id;?2}} ORDER BY p.id DESC LIMIT ?3;

-- name: phone_numbers_count
SELECT count(*) FROM phone_numbers WHERE user_id = ?1;

-- name: phone_number_delete
DELETE FROM phone_numbers WHERE id = ?1 AND user_id = ?2;
