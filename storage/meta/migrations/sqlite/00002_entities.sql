-- Who and what an incident is about, the rule package that made it, and the incident that it was merged into.

-- +goose Up
ALTER TABLE incidents ADD COLUMN entities TEXT NOT NULL DEFAULT '[]'; -- JSON [{"kind","value","field"},…]
ALTER TABLE incidents ADD COLUMN rule_digest TEXT NOT NULL DEFAULT '';
ALTER TABLE incidents ADD COLUMN merged_into TEXT NOT NULL DEFAULT '';
CREATE INDEX incidents_rule ON incidents (tenant, rule, last_seen);

-- What lists are narrowed by stands in the index: a few open incidents among many resolved are found without reading those.
DROP INDEX incidents_tenant;
DROP INDEX incidents_opened;
CREATE INDEX incidents_tenant ON incidents (tenant, opened_at DESC, id DESC, state, severity, rule);
CREATE INDEX incidents_opened ON incidents (opened_at DESC, id DESC, tenant, state, severity, rule);

-- The same entities, to be found by. opened_at is the incident's: of an entity the newest incidents are read.
CREATE TABLE incident_entities (
  tenant    INTEGER NOT NULL,
  kind      TEXT    NOT NULL,
  value     TEXT    NOT NULL,
  opened_at INTEGER NOT NULL,
  incident  TEXT    NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
  PRIMARY KEY (tenant, kind, value, opened_at DESC, incident)
) WITHOUT ROWID;
CREATE INDEX incident_entities_incident ON incident_entities (incident);

-- +goose Down
DROP TABLE incident_entities;
DROP INDEX incidents_opened;
DROP INDEX incidents_tenant;
CREATE INDEX incidents_tenant ON incidents (tenant, opened_at DESC, id DESC);
CREATE INDEX incidents_opened ON incidents (opened_at DESC, id DESC);
DROP INDEX incidents_rule;
ALTER TABLE incidents DROP COLUMN merged_into;
ALTER TABLE incidents DROP COLUMN rule_digest;
ALTER TABLE incidents DROP COLUMN entities;
