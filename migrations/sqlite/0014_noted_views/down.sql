-- What is not added to the articles yet: to all counts, and to the hour of UTC, since which hour the site's zone makes of it is
-- not known here.
CREATE TEMP TABLE noted AS
SELECT article_views.article_id AS article_id, viewed_at - viewed_at % 3600 AS hour, SUM(one.value) AS views
FROM noted_views JOIN json_each(noted_views.views) AS one JOIN article_views ON article_views.article_id = CAST(one.key AS INTEGER)
GROUP BY 1, 2;
INSERT INTO views_by_hour (article_id, hour, views) SELECT article_id, hour, views FROM noted WHERE true
  ON CONFLICT (article_id, hour) DO UPDATE SET views = views_by_hour.views + excluded.views;
UPDATE article_views SET views = article_views.views + noted.views, views_24h = views_24h + noted.views,
  views_7d = views_7d + noted.views, views_30d = views_30d + noted.views
FROM (SELECT article_id, SUM(views) AS views FROM noted GROUP BY article_id) AS noted WHERE noted.article_id = article_views.article_id;
WITH RECURSIVE bits (bit) AS (SELECT 0 UNION ALL SELECT bit + 1 FROM bits WHERE bit < 61)
UPDATE article_views SET level = (SELECT count(*) FROM bits WHERE views >= (1 << bit)),
  level_24h = (SELECT count(*) FROM bits WHERE views_24h >= (1 << bit)),
  level_7d = (SELECT count(*) FROM bits WHERE views_7d >= (1 << bit)),
  level_30d = (SELECT count(*) FROM bits WHERE views_30d >= (1 << bit))
WHERE article_id IN (SELECT article_id FROM noted);
DROP TABLE noted;
DROP TABLE noted_views;
ALTER TABLE content_changes DROP COLUMN hidden;
