-- Dictionaries: short numbers for texts that stand in many rows. Rows are only ever added.
CREATE TABLE name (id INTEGER PRIMARY KEY, folded TEXT NOT NULL UNIQUE, spelling TEXT NOT NULL) STRICT;
CREATE TABLE number (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE connector (id INTEGER PRIMARY KEY, folded TEXT NOT NULL UNIQUE, name TEXT NOT NULL) STRICT;
CREATE TABLE exported_set (id INTEGER PRIMARY KEY, names TEXT NOT NULL UNIQUE) STRICT;
-- High-water marks, so that no id is ever given twice, whatever was deleted since.
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO counter VALUES ('commit', 0), ('space', 0), ('mesh', 0), ('item', 0);

-- Management spaces. flags: 1 gone, 2 exported and not yet seen, 4 has sets in space_ref, 8 has a row in drift.
CREATE TABLE space_object (
  id INTEGER PRIMARY KEY, uid BLOB NOT NULL, connector INTEGER NOT NULL, type INTEGER NOT NULL,
  external_id TEXT NOT NULL, hash BLOB NOT NULL, touched INTEGER NOT NULL, run INTEGER NOT NULL,
  flags INTEGER NOT NULL, exported INTEGER, doc TEXT NOT NULL) STRICT;
CREATE UNIQUE INDEX space_external ON space_object (connector, type, external_id);
CREATE INDEX space_touched ON space_object (connector, touched, id);
CREATE INDEX space_connector ON space_object (connector, id);
CREATE INDEX space_present ON space_object (connector, type, id) WHERE flags & 1 = 0;
CREATE INDEX space_gone ON space_object (connector, type, id) WHERE flags & 1 = 1;
-- The object types that a connector has ever shown.
CREATE TABLE partition (connector INTEGER NOT NULL, type INTEGER NOT NULL, PRIMARY KEY (connector, type)) STRICT, WITHOUT ROWID;
-- form: 0 the reference stands in the document too, 1 it is one of a set and only stands here.
CREATE TABLE space_ref (
  space INTEGER NOT NULL, attribute INTEGER NOT NULL, key TEXT NOT NULL, form INTEGER NOT NULL,
  connector INTEGER NOT NULL, key_hash INTEGER NOT NULL, PRIMARY KEY (space, attribute, key)) STRICT, WITHOUT ROWID;
CREATE INDEX space_ref_key ON space_ref (connector, key_hash);
CREATE TABLE drift (space INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE space_note (space INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE wait_key (idx INTEGER NOT NULL, key TEXT NOT NULL, space INTEGER NOT NULL,
  PRIMARY KEY (idx, key, space)) STRICT, WITHOUT ROWID;
CREATE INDEX wait_space ON wait_key (space);
-- kind: 0 a management-space object, 1 a mesh object.
CREATE TABLE name_key (idx INTEGER NOT NULL, key TEXT NOT NULL, kind INTEGER NOT NULL, owner INTEGER NOT NULL,
  PRIMARY KEY (idx, key, kind, owner)) STRICT, WITHOUT ROWID;
CREATE INDEX name_owner ON name_key (kind, owner);

-- The mesh. flags: 1 has sets in membership. state: 0 active, 1 leaving, 2 deleted.
CREATE TABLE mesh_object (
  id INTEGER PRIMARY KEY, uid BLOB NOT NULL, type INTEGER NOT NULL, anchor TEXT NOT NULL, version INTEGER NOT NULL,
  hash BLOB NOT NULL, state INTEGER NOT NULL, since INTEGER, run INTEGER NOT NULL, flags INTEGER NOT NULL,
  doc TEXT NOT NULL, prov TEXT NOT NULL) STRICT;
CREATE UNIQUE INDEX mesh_uid ON mesh_object (uid);
CREATE INDEX mesh_type ON mesh_object (type, id);
CREATE INDEX mesh_gone ON mesh_object (type, id) WHERE state <> 0;
-- mode: 1 joined, 2 created, 3 projected, 4 manual.
CREATE TABLE link (
  space INTEGER PRIMARY KEY, mesh INTEGER NOT NULL, connector INTEGER NOT NULL, type INTEGER NOT NULL,
  rule INTEGER NOT NULL, mode INTEGER NOT NULL, score INTEGER, matched TEXT NOT NULL, run INTEGER NOT NULL) STRICT;
CREATE INDEX link_mesh ON link (mesh);
CREATE INDEX link_partition ON link (connector, type);
-- idx 0 holds anchors in lower case.
CREATE TABLE join_index (idx INTEGER NOT NULL, key TEXT NOT NULL, mesh INTEGER NOT NULL,
  PRIMARY KEY (idx, key, mesh)) STRICT, WITHOUT ROWID;
CREATE TABLE membership (owner INTEGER NOT NULL, attribute INTEGER NOT NULL, member BLOB NOT NULL,
  PRIMARY KEY (owner, attribute, member)) STRICT, WITHOUT ROWID;
CREATE INDEX membership_member ON membership (member);
CREATE TABLE leave (mesh INTEGER NOT NULL, connector INTEGER NOT NULL, rule INTEGER NOT NULL, since INTEGER NOT NULL,
  steps INTEGER NOT NULL, PRIMARY KEY (mesh, connector)) STRICT, WITHOUT ROWID;
CREATE TABLE address_wait (connector INTEGER NOT NULL, member BLOB NOT NULL, owner INTEGER NOT NULL,
  PRIMARY KEY (connector, member, owner)) STRICT, WITHOUT ROWID;

-- History and audit in one: the reverse change, and the chain.
CREATE TABLE change (
  seq INTEGER PRIMARY KEY, mesh INTEGER NOT NULL, uid BLOB NOT NULL, run INTEGER NOT NULL, at INTEGER NOT NULL,
  actor TEXT NOT NULL, kind TEXT NOT NULL, connector INTEGER, before TEXT NOT NULL, after BLOB,
  leaf BLOB NOT NULL, chain BLOB NOT NULL) STRICT;
CREATE INDEX change_mesh ON change (mesh, seq);

-- The queue. operation: 1 create, 2 update, 3 move, 4 disable, 5 enable, 6 delete. standing with the mass-change guard:
-- 0 free, 1 held, 2 approved, 3 rejected; hold says where.
CREATE TABLE export_item (
  id INTEGER PRIMARY KEY, connector INTEGER NOT NULL, mesh INTEGER NOT NULL, uid BLOB NOT NULL, rule INTEGER NOT NULL,
  type INTEGER NOT NULL, operation INTEGER NOT NULL, run INTEGER NOT NULL, reason TEXT NOT NULL, body TEXT NOT NULL,
  standing INTEGER NOT NULL DEFAULT 0, hold INTEGER) STRICT;
CREATE UNIQUE INDEX item_mesh ON export_item (mesh, connector);
CREATE INDEX item_order ON export_item (connector, id, operation, type, standing);
-- state: 1 sent, 2 waits to be sent again, 3 answer unknown, 4 dead. until: end of the lease, or not before.
CREATE TABLE intent (item INTEGER PRIMARY KEY, state INTEGER NOT NULL, until INTEGER NOT NULL, attempts INTEGER NOT NULL,
  code TEXT, answer TEXT) STRICT;

-- What the mass-change guard holds. class: an operation; 7 for objects that an import did not see or reported as gone;
-- 8 for changes of an attribute, 9 for those that leave it empty. part: which objects the limit is for. A row of
-- hold_item is a mesh object, for class 7 a management-space object, with the hash of the change; it outlives the queue
-- item. standing: 1 held, 2 approved, 3 rejected, 4 withdrawn.
CREATE TABLE hold (
  id INTEGER PRIMARY KEY AUTOINCREMENT, connector INTEGER NOT NULL, type INTEGER NOT NULL, class INTEGER NOT NULL,
  hash BLOB NOT NULL, count INTEGER NOT NULL, size INTEGER NOT NULL, population INTEGER NOT NULL,
  allowed INTEGER NOT NULL, common TEXT NOT NULL, at INTEGER NOT NULL, run INTEGER NOT NULL, part TEXT) STRICT;
CREATE TABLE hold_item (
  hold INTEGER NOT NULL, subject INTEGER NOT NULL, uid BLOB, item INTEGER, hash BLOB NOT NULL, standing INTEGER NOT NULL,
  PRIMARY KEY (hold, subject)) STRICT, WITHOUT ROWID;
CREATE INDEX hold_item_open ON hold_item (hold, item) WHERE standing = 1;
CREATE INDEX hold_item_rejected ON hold_item (hold, subject) WHERE standing = 3;
CREATE TABLE hold_decision (
  hold INTEGER NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, actor TEXT NOT NULL, standing INTEGER NOT NULL,
  count INTEGER NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (hold, seq)) STRICT, WITHOUT ROWID;

-- What a sync has to look at again. kind: 0 management-space object, 1 mesh object.
CREATE TABLE todo (kind INTEGER NOT NULL, id INTEGER NOT NULL, due INTEGER NOT NULL, PRIMARY KEY (kind, id)) STRICT, WITHOUT ROWID;
CREATE INDEX todo_due ON todo (due);
CREATE TABLE cursor (connector INTEGER PRIMARY KEY, touched INTEGER NOT NULL, space INTEGER NOT NULL) STRICT;
CREATE TABLE watermark (connector INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;

CREATE TABLE run (
  id INTEGER PRIMARY KEY AUTOINCREMENT, uid BLOB NOT NULL, connector INTEGER, step TEXT NOT NULL, state TEXT NOT NULL,
  actor TEXT NOT NULL, started INTEGER NOT NULL, updated INTEGER NOT NULL, configuration INTEGER NOT NULL,
  counters TEXT NOT NULL, message TEXT) STRICT;
CREATE TABLE finding (run INTEGER NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (run, seq)) STRICT, WITHOUT ROWID;
CREATE TABLE configuration (
  version INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, body TEXT NOT NULL, hash BLOB NOT NULL,
  full_sync INTEGER) STRICT;
CREATE TABLE secret (name TEXT PRIMARY KEY, body TEXT NOT NULL, at INTEGER NOT NULL, actor TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE note (name TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- For people at the SQL prompt; the product reads none of them.
CREATE VIEW readable_space AS SELECT o.id, c.name AS connector, n.spelling AS type, o.external_id, l.mesh,
  o.flags & 1 AS gone, o.flags & 2 <> 0 AS unconfirmed, s.body AS note, o.doc
  FROM space_object o JOIN connector c ON c.id = o.connector JOIN name n ON n.id = o.type
  LEFT JOIN link l ON l.space = o.id LEFT JOIN space_note s ON s.space = o.id;
CREATE VIEW readable_mesh AS SELECT o.id, lower(hex(o.uid)) AS uid, n.spelling AS type, o.anchor, o.version,
  CASE o.state WHEN 0 THEN 'active' WHEN 1 THEN 'leaving' ELSE 'deleted' END AS state, o.doc, o.prov
  FROM mesh_object o JOIN name n ON n.id = o.type;
CREATE VIEW readable_change AS SELECT g.seq, datetime(g.at / 1000000, 'unixepoch') AS at, g.actor, g.kind,
  lower(hex(g.uid)) AS uid, c.name AS connector, g.before, g.run
  FROM change g LEFT JOIN connector c ON c.id = g.connector;
CREATE VIEW readable_item AS SELECT i.id, c.name AS connector, lower(hex(i.uid)) AS uid,
  CASE i.operation WHEN 1 THEN 'create' WHEN 2 THEN 'update' WHEN 3 THEN 'move' WHEN 4 THEN 'disable'
    WHEN 5 THEN 'enable' ELSE 'delete' END AS operation,
  CASE WHEN i.standing = 1 THEN 'held' WHEN i.standing = 3 THEN 'held, rejected' ELSE
  CASE t.state WHEN 1 THEN 'leased' WHEN 2 THEN 'retry_wait' WHEN 3 THEN 'retry_wait, answer unknown'
    WHEN 4 THEN 'dead' ELSE 'pending' END END AS state, i.hold,
  t.attempts, t.answer, i.reason, i.body
  FROM export_item i JOIN connector c ON c.id = i.connector LEFT JOIN intent t ON t.item = i.id;
