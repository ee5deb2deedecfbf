-- Knowledge in chunks, with full-text search.
ALTER TABLE knowledge_base
    ADD COLUMN updated_at timestamptz,
    ADD COLUMN revision bigint NOT NULL DEFAULT 0; -- grows with each change of the entry or its vectors

-- knowledge_vectors holds one vector for each way to ask of an answer, or for each chunk of a text.

CREATE TABLE knowledge_chunks (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    knowledge_id uuid NOT NULL REFERENCES knowledge_base (id) ON DELETE CASCADE,
    n integer NOT NULL, -- 0, 1, …
    scope text NOT NULL, -- the agent's id without hyphens, as one word of the index
    title text NOT NULL, -- and the ways to ask of an answer
    content text NOT NULL,
    words tsvector NOT NULL GENERATED ALWAYS AS (
        setweight(array_to_tsvector(ARRAY[scope]), 'D') || setweight(to_tsvector('english', title), 'B') ||
        setweight(to_tsvector('english', content), 'C')) STORED
);
CREATE UNIQUE INDEX knowledge_chunks_entry ON knowledge_chunks (knowledge_id, n);
CREATE INDEX knowledge_chunks_words ON knowledge_chunks USING gin (words);

-- Entries that were there before are cut and embedded by the worker.
INSERT INTO jobs (id, kind, unique_key, payload, run_at_ms)
SELECT id, 'embed', 'embed:' || id, json_build_object('knowledge_id', id), 0 FROM knowledge_base;
