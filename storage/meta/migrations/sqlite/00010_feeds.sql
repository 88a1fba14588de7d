-- +goose Up

-- Where indicators of compromise are fetched from: by an organization, or for all when there is none. Times in ns.
CREATE TABLE feeds (
  tenant    INTEGER REFERENCES tenants (number),
  name      TEXT    NOT NULL, -- of the indicator set that it fills
  spec      TEXT    NOT NULL, -- JSON
  secret    BLOB,             -- sealed; none when it needs none
  since     TEXT    NOT NULL, -- what the source said to ask with the next time
  asked     INTEGER NOT NULL, -- when; 0: never
  due       INTEGER NOT NULL,
  error     TEXT    NOT NULL, -- why it could not be asked; empty: it was
  came      INTEGER NOT NULL, -- of the last time, as what follows
  withdrawn INTEGER NOT NULL,
  problems  INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX feeds_by_name ON feeds (coalesce(tenant, 0), name);
CREATE INDEX feeds_by_due ON feeds (due);

-- +goose Down
DROP TABLE feeds;
