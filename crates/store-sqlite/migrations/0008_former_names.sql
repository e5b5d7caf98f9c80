-- Under what a management-space object was found before it got another name: the last one that had it, so that a
-- reference in an old spelling is still known to mean it.
CREATE TABLE former_name (idx INTEGER NOT NULL, key TEXT NOT NULL, space INTEGER NOT NULL,
  PRIMARY KEY (idx, key)) STRICT, WITHOUT ROWID;
CREATE INDEX former_name_space ON former_name (space);
