-- +goose Up

-- Installations that ask for more than they may have, and wait for somebody who may grant it.
CREATE TABLE install_requests (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant   INTEGER REFERENCES tenants (number), -- NULL: for all organizations
  module   TEXT    NOT NULL, -- "publisher/name"
  version  TEXT    NOT NULL,
  digest   TEXT    NOT NULL,
  settings TEXT    NOT NULL,
  asks     TEXT    NOT NULL, -- JSON array of capability numbers, all that it needs
  missing  TEXT    NOT NULL, -- JSON array, those of them that were not granted
  who      TEXT    NOT NULL,
  at       INTEGER NOT NULL,
  state    TEXT    NOT NULL CHECK (state IN ('waiting', 'approved', 'rejected')),
  decider  TEXT    NOT NULL DEFAULT '',
  decided  INTEGER NOT NULL DEFAULT 0,
  note     TEXT    NOT NULL DEFAULT ''
);
CREATE INDEX install_requests_by_tenant ON install_requests (tenant, state, id);

-- Events on which a rule must not fire: of incidents that were false positives.
CREATE TABLE module_cases (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant   INTEGER REFERENCES tenants (number), -- NULL: for all organizations
  module   TEXT    NOT NULL, -- "publisher/name"
  rule     TEXT    NOT NULL,
  incident TEXT    NOT NULL,
  title    TEXT    NOT NULL,
  events   BLOB    NOT NULL, -- JSON
  who      TEXT    NOT NULL,
  at       INTEGER NOT NULL
);
CREATE UNIQUE INDEX module_cases_once ON module_cases (module, coalesce(tenant, 0), incident);

-- +goose Down
DROP TABLE module_cases;
DROP TABLE install_requests;
