ALTER TABLE content_changes DROP COLUMN categories;
ALTER TABLE content_changes DROP COLUMN site;
