-- Up to where in the history of objects the references of a connector are known to be in step with the names of what they mean.
-- From here on `space_change.kind` may be `mended` too: references followed from what was shown of others.
CREATE TABLE settled (connector INTEGER PRIMARY KEY, change INTEGER NOT NULL, space INTEGER NOT NULL) STRICT;
