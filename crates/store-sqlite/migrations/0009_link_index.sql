-- Whose objects a target holds is asked for every reference of a sync: the index alone answers for which target.
DROP INDEX link_mesh;
CREATE INDEX link_mesh ON link (mesh, connector, type);
