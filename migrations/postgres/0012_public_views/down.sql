ALTER TABLE article_views DROP COLUMN public;
