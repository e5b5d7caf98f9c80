-- turn: 0 sent before the others, 1 by age.
ALTER TABLE export_item ADD COLUMN turn INTEGER NOT NULL DEFAULT 1;
UPDATE export_item SET turn = 0
  WHERE operation = 4 AND body ->> '$.update.space' IS NOT NULL AND body ->> '$.update.address' IS NULL;
CREATE INDEX item_first ON export_item (connector, id) WHERE turn = 0;
