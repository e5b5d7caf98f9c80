-- Whether what a hold waits to take as gone was only missing from a read, and not reported. Of older holds nobody knows.
ALTER TABLE hold ADD COLUMN inferred INTEGER NOT NULL DEFAULT 1;
