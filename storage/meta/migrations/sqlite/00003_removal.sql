-- +goose Up
ALTER TABLE tenants ADD COLUMN demo INTEGER NOT NULL DEFAULT 0; -- 1: made for the demo, and removed with it

CREATE TABLE removed_tenants (
  number  INTEGER PRIMARY KEY, -- as it was in tenants; no other tenant has it
  slug    TEXT    NOT NULL,
  removed INTEGER NOT NULL -- log time
);

-- +goose Down
DROP TABLE removed_tenants;
ALTER TABLE tenants DROP COLUMN demo;
