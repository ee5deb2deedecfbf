-- Contacts and their lists, do-not-call, webhooks and their deliveries.

CREATE TABLE contacts (
    id uuid PRIMARY KEY NOT NULL,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    phone_number text NOT NULL,
    name text,
    email text,
    time_zone text,
    custom_fields json NOT NULL DEFAULT '{}',
    search text GENERATED ALWAYS AS
        (lower((phone_number || ' ' || COALESCE(name, '') || ' ' || COALESCE(email, '')) COLLATE "C")) STORED,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, phone_number)
);
CREATE INDEX contacts_user ON contacts (user_id, id);

CREATE TABLE contact_tags (
    contact_id uuid NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    tag text NOT NULL,
    PRIMARY KEY (contact_id, tag)
);

CREATE TABLE contact_lists (
    id uuid PRIMARY KEY NOT NULL,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name text NOT NULL,
    description text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, name)
);

CREATE TABLE contact_list_members (
    list_id uuid NOT NULL REFERENCES contact_lists (id) ON DELETE CASCADE,
    contact_id uuid NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    PRIMARY KEY (list_id, contact_id)
);
CREATE INDEX contact_list_members_contact ON contact_list_members (contact_id, list_id);

CREATE TABLE webhooks (
    id uuid PRIMARY KEY NOT NULL,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    url text NOT NULL,
    description text,
    events json NOT NULL,
    secret text NOT NULL,
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX webhooks_user ON webhooks (user_id, id);

-- The outbox: a row is written in the transaction that makes the fact. A fact has one key, so that each webhook hears of
-- it once.
CREATE TABLE webhook_deliveries (
    id uuid PRIMARY KEY NOT NULL,
    webhook_id uuid NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    event text NOT NULL,
    fact text NOT NULL,
    payload text NOT NULL,
    status text NOT NULL DEFAULT 'pending', -- pending, delivered, dead
    attempts integer NOT NULL DEFAULT 0,
    response_code integer,
    response_ms bigint,
    response_excerpt text,
    error text,
    next_attempt_ms bigint,
    replay_of uuid,
    created_ms bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (webhook_id, fact)
);
CREATE INDEX webhook_deliveries_webhook ON webhook_deliveries (webhook_id, id);
CREATE INDEX webhook_deliveries_created ON webhook_deliveries (created_ms);
