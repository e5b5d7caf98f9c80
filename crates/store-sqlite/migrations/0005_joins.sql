-- Decisions about joins. body: what was decided, with what was before.
CREATE TABLE join_decision (
  id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, actor TEXT NOT NULL, run INTEGER NOT NULL, kind TEXT NOT NULL,
  reason TEXT NOT NULL, reverts INTEGER UNIQUE, body TEXT NOT NULL) STRICT;
-- What people said for good about an object, by its external id, and a mesh object, by its public id. belongs: 1 they
-- belong together, 0 no rule may link them. decision: which says so.
CREATE TABLE ruling (
  connector INTEGER NOT NULL, type INTEGER NOT NULL, external_id TEXT NOT NULL, mesh BLOB NOT NULL, belongs INTEGER NOT NULL,
  decision INTEGER NOT NULL, PRIMARY KEY (connector, type, external_id, mesh)) STRICT, WITHOUT ROWID;
CREATE INDEX ruling_mesh ON ruling (mesh);
-- Objects without a mesh object that wait for a person.
CREATE INDEX space_conflict ON space_note (space) WHERE substr(body, 1, 18) = '{"kind":"conflict"';
