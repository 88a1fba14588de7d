-- Devices that monitors poll, what they are asked with, where each poll stands, and the texts that were pulled.

-- +goose Up
CREATE TABLE credentials (
  tenant  INTEGER NOT NULL REFERENCES tenants (number),
  name    TEXT    NOT NULL,
  kind    TEXT    NOT NULL,
  login   TEXT    NOT NULL, -- user name, to be shown; "" for none
  sealed  BLOB    NOT NULL, -- encrypted by the host with a key that is not in this database
  updated INTEGER NOT NULL,
  who     TEXT    NOT NULL,
  PRIMARY KEY (tenant, name)
);

CREATE TABLE devices (
  tenant  INTEGER NOT NULL REFERENCES tenants (number),
  name    TEXT    NOT NULL,
  spec    TEXT    NOT NULL, -- JSON
  updated INTEGER NOT NULL,
  who     TEXT    NOT NULL,
  PRIMARY KEY (tenant, name)
);

CREATE TABLE device_credentials (
  tenant     INTEGER NOT NULL REFERENCES tenants (number),
  device     TEXT    NOT NULL,
  credential TEXT    NOT NULL,
  PRIMARY KEY (tenant, device, credential),
  FOREIGN KEY (tenant, device) REFERENCES devices (tenant, name) ON DELETE CASCADE,
  FOREIGN KEY (tenant, credential) REFERENCES credentials (tenant, name)
);
CREATE INDEX device_credentials_credential ON device_credentials (tenant, credential);

CREATE TABLE device_changes (
  id     INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant INTEGER NOT NULL REFERENCES tenants (number),
  at     INTEGER NOT NULL,
  who    TEXT    NOT NULL,
  what   TEXT    NOT NULL -- for people: "device fw1 was set: 192.0.2.1, ssh"
);
CREATE INDEX device_changes_tenant ON device_changes (tenant, id);

CREATE TABLE polls (
  tenant   INTEGER NOT NULL REFERENCES tenants (number),
  watch    TEXT    NOT NULL,
  module   TEXT    NOT NULL, -- whose cursor it is
  cursor   BLOB    NOT NULL,
  polls    INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  streak   INTEGER NOT NULL, -- failures in a row, the newest among them
  last     INTEGER NOT NULL, -- begin of the newest poll; 0: none
  good     INTEGER NOT NULL, -- begin of the newest one that did not fail; 0: none
  took     INTEGER NOT NULL, -- of the newest, ns
  error    TEXT    NOT NULL, -- why the newest one failed
  PRIMARY KEY (tenant, watch)
);

CREATE TABLE config_texts (
  tenant INTEGER NOT NULL REFERENCES tenants (number),
  digest TEXT    NOT NULL, -- "sha256:…" of the text
  size   INTEGER NOT NULL, -- bytes of the text
  packed BLOB    NOT NULL, -- gzip
  PRIMARY KEY (tenant, digest)
);

CREATE TABLE config_versions (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant  INTEGER NOT NULL REFERENCES tenants (number),
  device  TEXT    NOT NULL,
  name    TEXT    NOT NULL,
  digest  TEXT    NOT NULL,
  at      INTEGER NOT NULL, -- log time of the poll that saw it first
  added   INTEGER NOT NULL, -- lines, against the version before
  removed INTEGER NOT NULL,
  FOREIGN KEY (tenant, digest) REFERENCES config_texts (tenant, digest)
);
CREATE INDEX config_versions_of ON config_versions (tenant, device, name, id);
CREATE INDEX config_versions_text ON config_versions (tenant, digest);

CREATE TABLE config_blessed (
  tenant INTEGER NOT NULL REFERENCES tenants (number),
  device TEXT    NOT NULL,
  name   TEXT    NOT NULL,
  digest TEXT    NOT NULL,
  at     INTEGER NOT NULL,
  who    TEXT    NOT NULL,
  PRIMARY KEY (tenant, device, name),
  FOREIGN KEY (tenant, digest) REFERENCES config_texts (tenant, digest)
);

-- +goose Down
DROP TABLE config_blessed;
DROP TABLE config_versions;
DROP TABLE config_texts;
DROP TABLE polls;
DROP TABLE device_changes;
DROP TABLE device_credentials;
DROP TABLE devices;
DROP TABLE credentials;
