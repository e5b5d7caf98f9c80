-- The run that leased an item: what an earlier one, whose lease lapsed, has to say of it is refused.
ALTER TABLE intent ADD COLUMN run INTEGER NOT NULL DEFAULT 0;
