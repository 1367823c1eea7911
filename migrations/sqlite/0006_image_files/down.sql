DROP TABLE image_claims;
ALTER TABLE images DROP COLUMN crop_y;
ALTER TABLE images DROP COLUMN crop_x;
ALTER TABLE images DROP COLUMN color;
ALTER TABLE images DROP COLUMN placeholder;
