-- What a page shows while a picture loads: a ThumbHash in base64 and #rrggbb. Null until the picture was looked at,
-- empty where it cannot be.
ALTER TABLE images ADD COLUMN placeholder TEXT;
ALTER TABLE images ADD COLUMN color TEXT;

-- Files that come or go at this moment, by their hash: whoever holds the row may touch them, until that time.
CREATE TABLE image_claims (
  hash TEXT PRIMARY KEY,
  token TEXT NOT NULL,
  held_until TEXT NOT NULL
);
