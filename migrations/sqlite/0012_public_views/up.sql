-- Whether everybody sees the article, as far as that was asked: the first view of an article finds out, and a write that hides
-- it takes it back. So a view needs no look at the article. Its id is the number of the row, and no index leads there.
CREATE TABLE public_views (
  article_id INTEGER PRIMARY KEY REFERENCES articles (id) ON DELETE CASCADE,
  views BIGINT NOT NULL,
  level INTEGER NOT NULL DEFAULT 0,
  views_24h BIGINT NOT NULL DEFAULT 0,
  level_24h INTEGER NOT NULL DEFAULT 0,
  views_7d BIGINT NOT NULL DEFAULT 0,
  level_7d INTEGER NOT NULL DEFAULT 0,
  views_30d BIGINT NOT NULL DEFAULT 0,
  level_30d INTEGER NOT NULL DEFAULT 0,
  hour BIGINT NOT NULL DEFAULT 0,
  hour_views BIGINT NOT NULL DEFAULT 0,
  public BOOLEAN NOT NULL DEFAULT FALSE
);
INSERT INTO public_views
SELECT article_id, views, level, views_24h, level_24h, views_7d, level_7d, views_30d, level_30d, hour, hour_views, FALSE
FROM article_views ORDER BY article_id;
DROP TABLE article_views;
ALTER TABLE public_views RENAME TO article_views;
CREATE INDEX article_views_level ON article_views (level);
CREATE INDEX article_views_level_24h ON article_views (level_24h);
CREATE INDEX article_views_level_7d ON article_views (level_7d);
CREATE INDEX article_views_level_30d ON article_views (level_30d);
CREATE INDEX article_views_hour ON article_views (hour);
