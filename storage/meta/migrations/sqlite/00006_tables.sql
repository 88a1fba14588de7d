-- +goose Up

-- The content of tables (watch lists, indicators, inventories). Which version is in force says the log, so content outlives
-- its organization until the log is cut: the owner is no reference.
CREATE TABLE table_contents (
  owner   INTEGER NOT NULL, -- number of the organization, 0 for all
  digest  TEXT    NOT NULL, -- "sha256:…" of the content
  content BLOB    NOT NULL, -- gzip
  size    INTEGER NOT NULL, -- bytes before packing
  added   INTEGER NOT NULL, -- ns since 1970
  PRIMARY KEY (owner, digest)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE table_contents;
