-- Whether everybody sees the article, as far as that was asked: the first view of an article finds out, and a write that hides
-- it takes it back. So a view needs no look at the article.
ALTER TABLE article_views ADD COLUMN public BOOLEAN NOT NULL DEFAULT FALSE;
