-- What an import read from, where its connector says: the path of a file.
ALTER TABLE run ADD COLUMN source TEXT;
