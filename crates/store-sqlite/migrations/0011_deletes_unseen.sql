-- Since which run, with how many objects missing, and why nobody knows what is gone; no run where it is proved.
ALTER TABLE coverage ADD COLUMN since INTEGER;
ALTER TABLE coverage ADD COLUMN missing INTEGER NOT NULL DEFAULT 0;
ALTER TABLE coverage ADD COLUMN why TEXT NOT NULL DEFAULT '';
UPDATE coverage SET since = run, why = 'the import did not prove that it showed everything' WHERE whole = 0;
