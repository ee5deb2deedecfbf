-- Contacts, their lists and tags, do-not-call numbers.

-- In SQLite, CROSS JOIN keeps the order of the tables: the planner would read all of a user's contacts for each row.

-- part: contact_fields
'id', c.id, 'phone_number', c.phone_number, 'name', c.name, 'email', c.email, 'time_zone', c.time_zone,
    'tags', {{contact_tags}}, 'list_ids', {{contact_list_ids}},
    'custom_fields', {{json:c.custom_fields}},
    'do_not_call', {{bool:EXISTS (SELECT 1 FROM dnc_numbers d WHERE d.user_id = c.user_id
        AND d.phone_number = c.phone_number)}},
    'created_at', {{time:c.created_at}}, 'updated_at', {{time:c.updated_at}}

-- part: contact_tags (sqlite)
json((SELECT json_group_array(t.tag) FROM (SELECT tag FROM contact_tags WHERE contact_id = c.id ORDER BY tag) t))

-- part: contact_tags (postgres)
COALESCE((SELECT json_agg(t.tag ORDER BY t.tag COLLATE "C") FROM contact_tags t WHERE t.contact_id = c.id), '[]'::json)

-- part: contact_list_ids (sqlite)
json((SELECT json_group_array(m.list_id) FROM
    (SELECT list_id FROM contact_list_members WHERE contact_id = c.id ORDER BY list_id) m))

-- part: contact_list_ids (postgres)
COALESCE((SELECT json_agg(m.list_id ORDER BY m.list_id) FROM contact_list_members m WHERE m.contact_id = c.id), '[]'::json)

-- part: contact_found (sqlite)
instr(c.search, ?4) > 0

-- part: contact_found (postgres)
strpos(c.search, ?4) > 0

-- part: contact_filter
c.user_id = ?1
    AND ({{uuid:?2}} IS NULL
        OR EXISTS (SELECT 1 FROM contact_list_members m WHERE m.list_id = {{uuid:?2}} AND m.contact_id = c.id))
    AND ({{text:?3}} IS NULL
        OR EXISTS (SELECT 1 FROM contact_tags t WHERE t.contact_id = c.id AND t.tag = {{text:?3}}))
    AND ({{text:?4}} IS NULL OR {{contact_found}})

-- part: contact_ids_2 (sqlite)
(SELECT value FROM json_each(?2))

-- part: contact_ids_2 (postgres)
(SELECT json_array_elements_text(?2::json)::uuid)

-- part: contact_ids_3 (sqlite)
(SELECT value FROM json_each(?3))

-- part: contact_ids_3 (postgres)
(SELECT json_array_elements_text(?3::json)::uuid)

-- name: contact_create
INSERT INTO contacts (id, user_id, phone_number) VALUES (?1, ?2, ?3);

-- name: contact_update
UPDATE contacts SET
    phone_number = COALESCE({{field:?3;phone_number}}, phone_number),
    name = CASE WHEN {{has:?3;name}} THEN {{field:?3;name}} ELSE name END,
    email = CASE WHEN {{has:?3;email}} THEN {{field:?3;email}} ELSE email END,
    time_zone = CASE WHEN {{has:?3;time_zone}} THEN {{field:?3;time_zone}} ELSE time_zone END,
    custom_fields = COALESCE({{field_json:?3;custom_fields}}, custom_fields),
    updated_at = {{now}}
WHERE id = ?1 AND user_id = ?2;

-- name: contact_get
SELECT {{object}}({{contact_fields}}) FROM contacts c WHERE c.id = ?1 AND c.user_id = ?2;

-- name: contacts_list
SELECT c.id, {{object}}({{contact_fields}}) FROM contacts c
WHERE {{contact_filter}} AND {{before:c.id;?5}} ORDER BY c.id DESC LIMIT ?6;

-- name: contacts_count
SELECT count(*) FROM contacts c WHERE {{contact_filter}};

-- name: contact_delete
DELETE FROM contacts WHERE id = ?1 AND user_id = ?2;

-- name: contact_tags_clear
DELETE FROM contact_tags WHERE contact_id = ?1;

-- name: contact_tags_add (sqlite)
INSERT INTO contact_tags (contact_id, tag)
SELECT ?1, value FROM json_each(?2) WHERE true ON CONFLICT DO NOTHING;

-- name: contact_tags_add (postgres)
INSERT INTO contact_tags (contact_id, tag)
SELECT ?1::uuid, json_array_elements_text(?2::json) ON CONFLICT DO NOTHING;

-- name: contact_lists_clear
DELETE FROM contact_list_members WHERE contact_id = ?1;

-- name: contact_lists_join
INSERT INTO contact_list_members (list_id, contact_id)
SELECT l.id, {{uuid:?1}} FROM contact_lists l WHERE l.user_id = ?2 AND l.id IN {{contact_ids_3}}
ON CONFLICT DO NOTHING;

-- name: contact_lists_owned
SELECT count(*) FROM contact_lists WHERE user_id = ?1 AND id IN {{contact_ids_2}};

-- part: import_rows (sqlite)
(SELECT value ->> 'id' AS id, value ->> 'phone_number' AS phone_number, value ->> 'name' AS name,
    value ->> 'email' AS email, value ->> 'time_zone' AS time_zone,
    COALESCE(value -> 'custom_fields', '{}') AS custom_fields FROM json_each(?2))

-- part: import_rows (postgres)
(SELECT (value ->> 'id')::uuid AS id, value ->> 'phone_number' AS phone_number, value ->> 'name' AS name,
    value ->> 'email' AS email, value ->> 'time_zone' AS time_zone,
    COALESCE(value -> 'custom_fields', '{}'::json) AS custom_fields FROM json_array_elements(?2::json))

-- name: contacts_known
SELECT count(*) FROM contacts WHERE user_id = ?1 AND phone_number IN (SELECT r.phone_number FROM {{import_rows}} r);

-- name: contacts_import
INSERT INTO contacts (id, user_id, phone_number, name, email, time_zone, custom_fields)
SELECT r.id, {{uuid:?1}}, r.phone_number, r.name, r.email, r.time_zone, r.custom_fields FROM {{import_rows}} r WHERE true
ON CONFLICT (user_id, phone_number) DO UPDATE SET name = COALESCE(excluded.name, contacts.name),
    email = COALESCE(excluded.email, contacts.email), time_zone = COALESCE(excluded.time_zone, contacts.time_zone),
    custom_fields = {{patch:contacts.custom_fields;excluded.custom_fields}}, updated_at = {{now}};

-- name: contacts_import_tags (sqlite)
INSERT INTO contact_tags (contact_id, tag)
SELECT c.id, t.value FROM json_each(?2) r
    CROSS JOIN contacts c CROSS JOIN json_each(r.value, '$.tags') t
WHERE c.user_id = ?1 AND c.phone_number = r.value ->> 'phone_number'
ON CONFLICT DO NOTHING;

-- name: contacts_import_tags (postgres)
INSERT INTO contact_tags (contact_id, tag)
SELECT DISTINCT c.id, t.tag FROM json_array_elements(?2::json) r
    JOIN contacts c ON c.user_id = ?1 AND c.phone_number = r ->> 'phone_number',
    json_array_elements_text(COALESCE(r -> 'tags', '[]'::json)) t (tag)
ON CONFLICT DO NOTHING;

-- name: contacts_import_list (sqlite)
INSERT INTO contact_list_members (list_id, contact_id)
SELECT ?3, c.id FROM json_each(?2) r CROSS JOIN contacts c
WHERE c.user_id = ?1 AND c.phone_number = r.value ->> 'phone_number'
ON CONFLICT DO NOTHING;

-- name: contacts_import_list (postgres)
INSERT INTO contact_list_members (list_id, contact_id)
SELECT ?3::uuid, c.id FROM {{import_rows}} r JOIN contacts c ON c.user_id = ?1 AND c.phone_number = r.phone_number
ON CONFLICT DO NOTHING;

-- name: contacts_custom_names (sqlite)
SELECT DISTINCT f.key FROM contacts c, json_each(c.custom_fields) f WHERE {{contact_filter}} ORDER BY f.key LIMIT 200;

-- name: contacts_custom_names (postgres)
SELECT k FROM (SELECT DISTINCT f.k AS k FROM contacts c, json_object_keys(c.custom_fields) f (k) WHERE {{contact_filter}}) n
ORDER BY k COLLATE "C" LIMIT 200;

-- part: contact_list_fields
'id', l.id, 'name', l.name, 'description', l.description,
    'contact_count', (SELECT count(*) FROM contact_list_members m WHERE m.list_id = l.id),
    'created_at', {{time:l.created_at}}, 'updated_at', {{time:l.updated_at}}

-- name: contact_list_create
INSERT INTO contact_lists (id, user_id, name, description) VALUES (?1, ?2, ?3, ?4);

-- name: contact_list_update
UPDATE contact_lists SET name = COALESCE({{field:?3;name}}, name),
    description = CASE WHEN {{has:?3;description}} THEN {{field:?3;description}} ELSE description END,
    updated_at = {{now}}
WHERE id = ?1 AND user_id = ?2;

-- name: contact_list_get
SELECT {{object}}({{contact_list_fields}}) FROM contact_lists l WHERE l.id = ?1 AND l.user_id = ?2;

-- name: contact_list_list
SELECT l.id, {{object}}({{contact_list_fields}}) FROM contact_lists l
WHERE l.user_id = ?1 AND {{before:l.id;?2}} ORDER BY l.id DESC LIMIT ?3;

-- name: contact_list_count
SELECT count(*) FROM contact_lists WHERE user_id = ?1;

-- name: contact_list_delete
DELETE FROM contact_lists WHERE id = ?1 AND user_id = ?2;

-- name: contact_list_add
INSERT INTO contact_list_members (list_id, contact_id)
SELECT {{uuid:?1}}, c.id FROM contacts c WHERE c.user_id = ?2 AND c.id IN {{contact_ids_3}}
ON CONFLICT DO NOTHING;

-- name: contact_list_remove
DELETE FROM contact_list_members WHERE list_id = ?1 AND contact_id IN {{contact_ids_2}};

-- part: dnc_json
{{object}}('phone_number', d.phone_number, 'source', d.source, 'call_id', d.call_id, 'created_at', {{time:d.created_at}})

-- name: dnc_list
SELECT substr(d.phone_number, 2), {{dnc_json}} FROM dnc_numbers d
WHERE d.user_id = ?1 AND d.phone_number > ?2 ORDER BY d.phone_number LIMIT ?3;

-- name: dnc_count
SELECT count(*) FROM dnc_numbers WHERE user_id = ?1;

-- name: dnc_get
SELECT {{dnc_json}} FROM dnc_numbers d WHERE d.user_id = ?1 AND d.phone_number = ?2;

-- name: dnc_add_many
INSERT INTO dnc_numbers (user_id, phone_number, source)
SELECT {{uuid:?1}}, n.number, {{text:?3}} FROM {{dnc_numbers_2}} n WHERE true ON CONFLICT DO NOTHING;

-- part: dnc_numbers_2 (sqlite)
(SELECT value AS number FROM json_each(?2))

-- part: dnc_numbers_2 (postgres)
(SELECT json_array_elements_text(?2::json) AS number)

-- name: dnc_delete
DELETE FROM dnc_numbers WHERE user_id = ?1 AND phone_number = ?2;
