-- name: user_create
INSERT INTO users (id, email, password_hash, name) VALUES (?1, ?2, ?3, ?4);

-- name: user_by_email
SELECT {{object}}('id', id, 'email', email, 'name', name, 'password_hash', password_hash)
FROM users WHERE lower(email) = lower(?1);

-- name: user_get
SELECT {{object}}('id', id, 'email', email, 'name', name, 'phone', phone, 'company', company,
    'created_at', {{time:created_at}})
FROM users WHERE id = ?1;

-- name: session_create
INSERT INTO auth_tokens (id, user_id, refresh_token, expires_at, expires_ms, family)
VALUES (?1, ?2, ?3, ?4, ?5, COALESCE({{uuid:?6}}, {{uuid:?1}}));

-- name: session_get
SELECT user_id, family, replaced_ms FROM auth_tokens WHERE refresh_token = ?1 AND expires_ms > ?2 {{for_update}};

-- name: session_replace
UPDATE auth_tokens SET replaced_ms = ?2 WHERE refresh_token = ?1;

-- name: session_exists
SELECT 1 FROM auth_tokens WHERE refresh_token = ?1;

-- name: session_revoke_family
DELETE FROM auth_tokens WHERE family = ?1;

-- name: session_delete
DELETE FROM auth_tokens WHERE family = (SELECT family FROM auth_tokens WHERE refresh_token = ?1);

-- name: sessions_expire
DELETE FROM auth_tokens WHERE expires_ms <= ?1;
