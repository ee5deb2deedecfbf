-- name: job_add
INSERT INTO jobs (id, kind, unique_key, payload, run_at_ms) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (unique_key) DO NOTHING;

-- name: job_again
INSERT INTO jobs (id, kind, unique_key, payload, run_at_ms) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (unique_key) DO UPDATE SET status = 'queued', attempts = 0, run_at_ms = ?5,
    lease_until_ms = NULL, worker = NULL, error = NULL;

-- name: job_due
SELECT 1 FROM jobs WHERE kind IN {{elements:?1}}
    AND ((status = 'queued' AND run_at_ms <= ?2) OR (status = 'running' AND lease_until_ms < ?2))
LIMIT 1;

-- name: job_claim
UPDATE jobs SET status = 'running', attempts = attempts + 1, worker = ?2, lease_until_ms = ?3 + ?4,
    updated_at = {{now}}
WHERE id = (SELECT id FROM jobs WHERE kind IN {{elements:?1}}
    AND ((status = 'queued' AND run_at_ms <= ?3) OR (status = 'running' AND lease_until_ms < ?3))
    ORDER BY run_at_ms, id LIMIT 1 {{skip_locked}})
RETURNING id, kind, payload, attempts;

-- name: job_done
UPDATE jobs SET status = 'done', lease_until_ms = NULL,
    updated_at = {{now}} WHERE id = ?1 AND status = 'running';

-- name: job_failed
UPDATE jobs SET status = CASE WHEN ?3 > 0 THEN 'queued' ELSE 'dead' END, error = ?2,
    run_at_ms = CASE WHEN ?3 > 0 THEN ?3 ELSE run_at_ms END, lease_until_ms = NULL,
    updated_at = {{now}} WHERE id = ?1 AND status = 'running';
