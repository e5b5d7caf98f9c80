-- When a link began, and how many rows `change` had then.
ALTER TABLE link ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE link ADD COLUMN place INTEGER NOT NULL DEFAULT 0;

-- What management-space objects were before they changed. kind: import, export, decision (somebody decided that it is
-- gone), unlink, purge. place: how many rows `change` had. An unlink names the mesh object; a purge says what the object was.
CREATE TABLE space_change (
  seq INTEGER PRIMARY KEY, space INTEGER NOT NULL, place INTEGER NOT NULL, run INTEGER NOT NULL, at INTEGER NOT NULL,
  kind TEXT NOT NULL, before TEXT NOT NULL, mesh INTEGER, uid BLOB, connector INTEGER, type INTEGER, external_id TEXT) STRICT;
CREATE INDEX space_change_space ON space_change (space, seq);
CREATE INDEX space_change_mesh ON space_change (mesh, seq) WHERE mesh IS NOT NULL;
CREATE INDEX space_change_purged ON space_change (connector, external_id) WHERE external_id IS NOT NULL;

-- History by run, and of mesh objects that are gone for good.
CREATE INDEX change_run ON change (run, seq);
CREATE INDEX change_purged ON change (uid) WHERE kind = 'purge';
CREATE INDEX change_purged_anchor ON change (lower(before->>'k')) WHERE kind = 'purge';

CREATE VIEW readable_space_change AS SELECT s.seq, datetime(s.at / 1000000, 'unixepoch') AS at, s.space, s.kind, s.run,
  s.before FROM space_change s;

-- by_hand: a person asked for it, and a sync leaves it alone. undo: what an undo keeps from being done again.
ALTER TABLE export_item ADD COLUMN by_hand INTEGER NOT NULL DEFAULT 0;
ALTER TABLE hold ADD COLUMN undo INTEGER NOT NULL DEFAULT 0;
CREATE INDEX hold_item_subject ON hold_item (subject) WHERE standing = 3;
