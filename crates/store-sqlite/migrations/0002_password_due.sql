-- Objects of targets that owe a password: it was not set yet, or was set and not delivered. No password stands anywhere.
CREATE TABLE password_due (
  space INTEGER PRIMARY KEY, connector INTEGER NOT NULL, mesh INTEGER NOT NULL, rule INTEGER NOT NULL,
  since INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, not_before INTEGER NOT NULL, reason TEXT) STRICT;
CREATE INDEX password_due_connector ON password_due (connector, space);
