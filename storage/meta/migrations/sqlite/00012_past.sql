-- +goose Up

-- Control records that changed what runs, what rules look into or what they have learnt, for as long as an incident may be
-- computed again: the log itself is cut. "layer" is all that was there when this began to be kept.
CREATE TABLE controls (
  id     INTEGER PRIMARY KEY,
  tenant INTEGER REFERENCES tenants (number), -- NULL: of all
  seq    INTEGER NOT NULL,
  at     INTEGER NOT NULL, -- log time, ns
  kind   TEXT    NOT NULL,
  name   TEXT    NOT NULL,
  record TEXT    NOT NULL  -- JSON
) STRICT;
CREATE INDEX controls_by_tenant ON controls (tenant, seq);
CREATE INDEX controls_by_name ON controls (name, tenant, seq);

-- Values of lists, by the positions between which they were in them.
CREATE TABLE members (
  id       INTEGER PRIMARY KEY,
  tenant   INTEGER REFERENCES tenants (number), -- NULL: of all
  list     TEXT    NOT NULL,
  compared TEXT    NOT NULL, -- exact, nocase, cidr or domain
  value    TEXT    NOT NULL,
  expires  INTEGER NOT NULL, -- log time, ns; 0: never
  since    INTEGER NOT NULL, -- position
  until    INTEGER NOT NULL, -- position; 0: it is there
  until_at INTEGER NOT NULL  -- log time, ns
) STRICT;
CREATE INDEX members_by_value ON members (list, tenant, value, until);
CREATE INDEX members_that_ended ON members (until_at) WHERE until > 0;

-- Before which position values are missing, because there were too many.
CREATE TABLE members_floor (
  tenant INTEGER REFERENCES tenants (number),
  seq    INTEGER NOT NULL
) STRICT;

-- +goose Down
DROP TABLE members_floor;
DROP TABLE members;
DROP TABLE controls;
