-- +goose Up

-- How often rules fired, by hour of log time.
CREATE TABLE rule_hours (
  tenant INTEGER NOT NULL REFERENCES tenants (number),
  rule   TEXT    NOT NULL,
  hour   INTEGER NOT NULL, -- begin, ns since 1970
  fires  INTEGER NOT NULL,
  newest INTEGER NOT NULL, -- event time of the newest of them, ns
  PRIMARY KEY (tenant, rule, hour)
) STRICT, WITHOUT ROWID;
CREATE INDEX rule_hours_by_hour ON rule_hours (hour);

-- When rules were not, or not as they should be, evaluated: of an organization, or of all when there is none.
CREATE TABLE rule_gaps (
  id      INTEGER PRIMARY KEY,
  tenant  INTEGER REFERENCES tenants (number),
  subject TEXT    NOT NULL, -- "rule ID" or "module NAME"; empty: every rule
  kind    TEXT    NOT NULL, -- off, suspended, resting, evicted, down
  since   INTEGER NOT NULL, -- log time, ns
  until   INTEGER NOT NULL, -- log time, ns; 0: it goes on
  detail  TEXT    NOT NULL,
  seq     INTEGER NOT NULL  -- log position at which it was found
) STRICT;
CREATE INDEX rule_gaps_by_tenant ON rule_gaps (tenant, since);

-- How far a rule had come when an incident's last firing was decided, whether its numbers are exact, and what it asked.
ALTER TABLE incidents ADD COLUMN watermark INTEGER NOT NULL DEFAULT 0;
ALTER TABLE incidents ADD COLUMN approximate INTEGER NOT NULL DEFAULT 0;
ALTER TABLE incidents ADD COLUMN lists TEXT NOT NULL DEFAULT '[]'; -- versions of the lists that it asked

-- +goose Down
ALTER TABLE incidents DROP COLUMN lists;
ALTER TABLE incidents DROP COLUMN approximate;
ALTER TABLE incidents DROP COLUMN watermark;
DROP TABLE rule_gaps;
DROP TABLE rule_hours;
