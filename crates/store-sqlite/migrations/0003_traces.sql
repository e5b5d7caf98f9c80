-- Mesh objects with large sets of references. rules: the configuration under which the sets were last looked at as a
-- whole; shape: the hash of the circumstances then, absent when they have to be looked at as a whole again; open: queue
-- items of then that are not carried out yet.
CREATE TABLE trace (mesh INTEGER PRIMARY KEY, rules INTEGER NOT NULL, shape BLOB, open INTEGER NOT NULL) STRICT;
-- What happened to their sets since: with a space an edge of that object, by its key; with space 0 a member, by its
-- public id.
CREATE TABLE trace_news (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, mesh INTEGER NOT NULL, space INTEGER NOT NULL, key BLOB NOT NULL) STRICT;
CREATE UNIQUE INDEX trace_news_key ON trace_news (mesh, space, key);
