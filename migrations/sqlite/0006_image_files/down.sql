DROP TABLE image_claims;
ALTER TABLE images DROP COLUMN color;
ALTER TABLE images DROP COLUMN placeholder;
