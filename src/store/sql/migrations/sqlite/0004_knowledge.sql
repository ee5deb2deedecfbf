-- Knowledge in chunks, with full-text search.
ALTER TABLE knowledge_base ADD COLUMN updated_at TEXT;
ALTER TABLE knowledge_base ADD COLUMN revision INTEGER NOT NULL DEFAULT 0; -- grows with each change of the entry or its vectors

-- knowledge_vectors holds one vector for each way to ask of an answer, or for each chunk of a text.

CREATE TABLE knowledge_chunks (
    id INTEGER PRIMARY KEY,
    knowledge_id TEXT NOT NULL REFERENCES knowledge_base (id) ON DELETE CASCADE,
    n INTEGER NOT NULL, -- 0, 1, …
    scope TEXT NOT NULL, -- the agent's id without hyphens, as one word for the index
    title TEXT NOT NULL, -- and the ways to ask of an answer
    content TEXT NOT NULL
);
CREATE UNIQUE INDEX knowledge_chunks_entry ON knowledge_chunks (knowledge_id, n);

CREATE VIRTUAL TABLE knowledge_words USING fts5 (
    scope, title, content, content = 'knowledge_chunks', content_rowid = 'id',
    tokenize = 'porter unicode61 remove_diacritics 2'
);
CREATE TRIGGER knowledge_chunks_added AFTER INSERT ON knowledge_chunks BEGIN
    INSERT INTO knowledge_words (rowid, scope, title, content)
    VALUES (new.id, new.scope, new.title, new.content);
END;
CREATE TRIGGER knowledge_chunks_removed AFTER DELETE ON knowledge_chunks BEGIN
    INSERT INTO knowledge_words (knowledge_words, rowid, scope, title, content)
    VALUES ('delete', old.id, old.scope, old.title, old.content);
END;

-- Entries that were there before are cut and embedded by the worker.
INSERT INTO jobs (id, kind, unique_key, payload, run_at_ms)
SELECT id, 'embed', 'embed:' || id, json_object('knowledge_id', id), 0 FROM knowledge_base;
