-- The views of the hour in which an article was read last stand beside its counts, and become a row of their own when it
-- is read in another hour: a view changes one row. The hour by the second at which it begins, counted from 1970.
ALTER TABLE article_views ADD COLUMN hour BIGINT NOT NULL DEFAULT 0;
ALTER TABLE article_views ADD COLUMN hour_views BIGINT NOT NULL DEFAULT 0;
CREATE INDEX article_views_hour ON article_views (hour);

-- What is written of one article is a segment of the index at first. Sixteen of a size, instead of four, make a larger one: two
-- thirds of a write went into that. All at once only where it falls behind.
INSERT INTO article_index (article_index, rank) VALUES ('automerge', 16);
INSERT INTO article_index (article_index, rank) VALUES ('crisismerge', 64);
