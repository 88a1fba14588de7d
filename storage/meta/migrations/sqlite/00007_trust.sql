-- +goose Up

-- Which modules an organization trusts: the newest document counts, those before it say who changed what and when.
CREATE TABLE trust_policies (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant   INTEGER NOT NULL REFERENCES tenants (number),
  document TEXT    NOT NULL, -- YAML; empty: no policy of its own from then on
  who      TEXT    NOT NULL,
  at       INTEGER NOT NULL  -- ns since 1970
);
CREATE INDEX trust_policies_by_tenant ON trust_policies (tenant, id);

-- +goose Down
DROP TABLE trust_policies;
