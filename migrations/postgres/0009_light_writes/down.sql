INSERT INTO views_by_hour (article_id, hour, views) SELECT article_id, hour, hour_views FROM article_views WHERE hour_views > 0
  ON CONFLICT (article_id, hour) DO UPDATE SET views = views_by_hour.views + excluded.views;
DROP INDEX article_views_hour;
ALTER TABLE article_views DROP COLUMN hour_views;
ALTER TABLE article_views DROP COLUMN hour;
