-- +goose Up

-- What this host has found out about module versions by trying them: one report for each content, whoever runs it.
CREATE TABLE conformance (
  digest TEXT    PRIMARY KEY,
  host   TEXT    NOT NULL, -- the version that tried it, with that of its meter
  at     INTEGER NOT NULL, -- ns since 1970
  report TEXT    NOT NULL  -- JSON
);

-- +goose Down
DROP TABLE conformance;
