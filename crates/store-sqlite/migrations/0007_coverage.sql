-- Of which object types a connector was to show everything, and whether it is proved that it did. run: the last import that
-- says so.
CREATE TABLE coverage (
  connector INTEGER NOT NULL, type INTEGER NOT NULL, whole INTEGER NOT NULL, run INTEGER NOT NULL,
  PRIMARY KEY (connector, type)) STRICT, WITHOUT ROWID;
CREATE INDEX run_imports ON run (connector, id) WHERE step IN ('full-import', 'delta-import');
