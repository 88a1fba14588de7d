-- +goose Up

-- What modules did for organizations, by log time: per minute, later per hour, then per day. Times and spans in ns.
CREATE TABLE usage (
  span          INTEGER NOT NULL,
  at            INTEGER NOT NULL, -- begin of the span
  tenant        INTEGER NOT NULL REFERENCES tenants (number), -- whose records they were
  module        TEXT    NOT NULL, -- "publisher/name"; empty: what the organization used of the host itself
  shared        INTEGER NOT NULL, -- 1: the module that all organizations share
  calls         INTEGER NOT NULL,
  records       INTEGER NOT NULL,
  events        INTEGER NOT NULL,
  findings      INTEGER NOT NULL,
  errors        INTEGER NOT NULL,
  skipped       INTEGER NOT NULL,
  bytes_in      INTEGER NOT NULL,
  bytes_out     INTEGER NOT NULL,
  fuel          INTEGER NOT NULL,
  log_lines     INTEGER NOT NULL,
  state_calls   INTEGER NOT NULL,
  state_bytes   INTEGER NOT NULL,
  requests      INTEGER NOT NULL,
  request_bytes INTEGER NOT NULL,
  stored        INTEGER NOT NULL,
  stored_bytes  INTEGER NOT NULL,
  PRIMARY KEY (span, at, tenant, module, shared)
) WITHOUT ROWID;
CREATE INDEX usage_by_tenant ON usage (tenant, span, at);

-- What the process spent meanwhile: processor time in ns, and what that is shared by.
CREATE TABLE usage_costs (
  span           INTEGER NOT NULL,
  at             INTEGER NOT NULL,
  process        INTEGER NOT NULL,
  modules        INTEGER NOT NULL,
  receive        INTEGER NOT NULL,
  queue          INTEGER NOT NULL,
  parse          INTEGER NOT NULL,
  detect         INTEGER NOT NULL,
  store          INTEGER NOT NULL,
  correlate      INTEGER NOT NULL,
  incident       INTEGER NOT NULL,
  fuel           INTEGER NOT NULL,
  total_fuel     INTEGER NOT NULL,
  total_bytes_in INTEGER NOT NULL,
  total_stored   INTEGER NOT NULL,
  PRIMARY KEY (span, at)
) WITHOUT ROWID;

-- +goose Down
DROP TABLE usage_costs;
DROP TABLE usage;
