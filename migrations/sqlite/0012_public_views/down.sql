-- The id may stay the number of the row: nothing before depends on it.
ALTER TABLE article_views DROP COLUMN public;
