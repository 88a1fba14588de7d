-- Every time is an INTEGER of nanoseconds since the Unix epoch (UTC); every JSON column is TEXT.

-- +goose Up
CREATE TABLE tenants (
  number  INTEGER PRIMARY KEY AUTOINCREMENT, -- AUTOINCREMENT: a number is never given twice
  slug    TEXT    NOT NULL UNIQUE,
  name    TEXT    NOT NULL,
  created INTEGER NOT NULL
);

CREATE TABLE users (
  name     TEXT    PRIMARY KEY,
  hash     TEXT    NOT NULL, -- argon2id in PHC form
  role     TEXT    NOT NULL CHECK (role IN ('admin', 'analyst', 'read-only')),
  tenant   INTEGER REFERENCES tenants (number), -- NULL for admin, who sees every tenant
  disabled INTEGER NOT NULL DEFAULT 0,
  created  INTEGER NOT NULL,
  CHECK ((role = 'admin') = (tenant IS NULL))
);

CREATE TABLE sessions (
  hash     BLOB    PRIMARY KEY, -- SHA-256 of the token; the token itself is not kept
  username TEXT    NOT NULL REFERENCES users (name) ON DELETE CASCADE,
  created  INTEGER NOT NULL,
  expires  INTEGER NOT NULL
);
CREATE INDEX sessions_username ON sessions (username, created);
CREATE INDEX sessions_expires ON sessions (expires);

CREATE TABLE ingest_tokens (
  hash    BLOB    PRIMARY KEY, -- SHA-256 of the token; the token itself is not kept
  tenant  INTEGER NOT NULL REFERENCES tenants (number),
  name    TEXT    NOT NULL,
  created INTEGER NOT NULL,
  revoked INTEGER -- NULL while in force
);
CREATE UNIQUE INDEX ingest_tokens_name ON ingest_tokens (tenant, name) WHERE revoked IS NULL;

CREATE TABLE incidents (
  id           TEXT    PRIMARY KEY,
  tenant       INTEGER NOT NULL REFERENCES tenants (number),
  rule         TEXT    NOT NULL,
  rule_name    TEXT    NOT NULL,
  rule_version TEXT    NOT NULL,
  key          TEXT    NOT NULL, -- JSON [["name","value"],…]
  title        TEXT    NOT NULL,
  search       TEXT    NOT NULL, -- title, rule name and key values in lower case
  severity     INTEGER NOT NULL,
  state        TEXT    NOT NULL,
  verdict      TEXT    NOT NULL,
  assignee     TEXT    NOT NULL,
  count        INTEGER NOT NULL,
  first_seen   INTEGER NOT NULL,
  last_seen    INTEGER NOT NULL,
  opened_at    INTEGER NOT NULL,
  updated_at   INTEGER NOT NULL,
  techniques   TEXT    NOT NULL, -- JSON ["T1110",…]
  evidence     TEXT    NOT NULL, -- JSON [["sub","event id",time],…]
  conditions   TEXT    NOT NULL, -- JSON [{"sub","expr","actual","threshold"},…]
  applied      INTEGER NOT NULL  -- log sequence of the last change; what is not newer changes nothing
);
CREATE INDEX incidents_tenant ON incidents (tenant, opened_at DESC, id DESC);
CREATE INDEX incidents_opened ON incidents (opened_at DESC, id DESC);
CREATE INDEX incidents_counts ON incidents (tenant, state, severity);
CREATE INDEX incidents_resolved ON incidents (updated_at) WHERE state = 'resolved';

CREATE TABLE incident_history (
  incident TEXT    NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
  seq      INTEGER NOT NULL,
  what     TEXT    NOT NULL,
  at       INTEGER NOT NULL,
  who      TEXT    NOT NULL,
  detail   TEXT    NOT NULL,
  PRIMARY KEY (incident, seq, what)
);

-- One row per thing that changed, holding its newest cursor: a reader sees each thing once, as it is now.
CREATE TABLE changes (
  tenant INTEGER NOT NULL REFERENCES tenants (number),
  cursor INTEGER NOT NULL,
  topic  TEXT    NOT NULL,
  key    TEXT    NOT NULL,
  PRIMARY KEY (tenant, cursor)
);
CREATE UNIQUE INDEX changes_key ON changes (tenant, topic, key);

CREATE TABLE change_heads (
  tenant INTEGER PRIMARY KEY REFERENCES tenants (number),
  last   INTEGER NOT NULL, -- newest cursor given
  floor  INTEGER NOT NULL  -- newest cursor pruned: a reader behind it has a gap
);

CREATE TABLE webhooks (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant  INTEGER NOT NULL REFERENCES tenants (number),
  name    TEXT    NOT NULL,
  url     TEXT    NOT NULL,
  secret  TEXT    NOT NULL,
  enabled INTEGER NOT NULL,
  UNIQUE (tenant, name)
);

CREATE TABLE outbox (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant       INTEGER NOT NULL REFERENCES tenants (number),
  webhook      INTEGER NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
  kind         TEXT    NOT NULL,
  key          TEXT    NOT NULL UNIQUE, -- idempotency key
  payload      TEXT    NOT NULL,
  created      INTEGER NOT NULL,
  attempts     INTEGER NOT NULL DEFAULT 0,
  next_attempt INTEGER NOT NULL DEFAULT 0,
  done         INTEGER, -- NULL while pending; time of delivery or of giving up
  last_error   TEXT    NOT NULL DEFAULT '' -- of a done row: empty when delivered, why when given up
);
CREATE INDEX outbox_due ON outbox (tenant, next_attempt, id) WHERE done IS NULL;
CREATE INDEX outbox_done ON outbox (done) WHERE done IS NOT NULL;
CREATE INDEX outbox_webhook ON outbox (webhook);

CREATE TABLE positions (
  name TEXT    PRIMARY KEY,
  seq  INTEGER NOT NULL
);

CREATE TABLE quarantine (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant   INTEGER NOT NULL REFERENCES tenants (number),
  position TEXT    NOT NULL, -- event id
  module   TEXT    NOT NULL,
  digest   TEXT    NOT NULL,
  code     TEXT    NOT NULL,
  detail   TEXT    NOT NULL,
  raw      BLOB    NOT NULL,
  at       INTEGER NOT NULL,
  UNIQUE (tenant, position, digest)
);
CREATE INDEX quarantine_tenant ON quarantine (tenant, id);

CREATE TABLE quarantine_totals (
  tenant  INTEGER PRIMARY KEY REFERENCES tenants (number),
  entries INTEGER NOT NULL,
  bytes   INTEGER NOT NULL,
  dropped INTEGER NOT NULL
);

-- +goose Down
DROP TABLE quarantine_totals;
DROP TABLE quarantine;
DROP TABLE positions;
DROP TABLE outbox;
DROP TABLE webhooks;
DROP TABLE change_heads;
DROP TABLE changes;
DROP TABLE incident_history;
DROP TABLE incidents;
DROP TABLE ingest_tokens;
DROP TABLE sessions;
DROP TABLE users;
DROP TABLE tenants;
