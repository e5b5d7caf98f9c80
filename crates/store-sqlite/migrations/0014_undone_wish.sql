-- Of what an undo rejects: the mesh object's content then. As long as it and the rules are the same, another spelling of
-- the same change, such as references to objects that moved, is the same wish.
ALTER TABLE hold_item ADD COLUMN wish BLOB;
