-- Here the row counts after all. When the site and the categories changed last, as numbers that each change raises: who keeps them in memory asks whether
-- they are still what he knows.
ALTER TABLE content_changes ADD COLUMN site BIGINT NOT NULL DEFAULT 0;
ALTER TABLE content_changes ADD COLUMN categories BIGINT NOT NULL DEFAULT 0;
