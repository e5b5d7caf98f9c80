-- What was rejected, and what was left when a hold was decided in part: the change, so that another one which repeats some
-- of it is recognised. Of older decisions nobody knows it.
ALTER TABLE hold_item ADD COLUMN body TEXT;
CREATE INDEX hold_item_again ON hold_item (subject, hold) WHERE body IS NOT NULL;
-- The hold of which this one's changes repeat something; such a hold has no limit.
ALTER TABLE hold ADD COLUMN again INTEGER;
