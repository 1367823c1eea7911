-- What is not added to the articles yet: to all counts, and to the hour of UTC, since which hour the site's zone makes of it is
-- not known here.
CREATE TEMP TABLE noted ON COMMIT DROP AS
SELECT article_views.article_id, viewed_at - viewed_at % 3600 AS hour, SUM(one.value::bigint)::bigint AS views
FROM noted_views CROSS JOIN LATERAL json_each_text(noted_views.views::json) AS one
JOIN article_views ON article_views.article_id = one.key::bigint
GROUP BY 1, 2;
INSERT INTO views_by_hour (article_id, hour, views) SELECT article_id, hour, views FROM noted
  ON CONFLICT (article_id, hour) DO UPDATE SET views = views_by_hour.views + excluded.views;
UPDATE article_views AS kept SET views = kept.views + noted.views, views_24h = views_24h + noted.views,
  views_7d = views_7d + noted.views, views_30d = views_30d + noted.views
FROM (SELECT article_id, SUM(views)::bigint AS views FROM noted GROUP BY article_id) AS noted WHERE noted.article_id = kept.article_id;
UPDATE article_views SET
  level = (SELECT count(*) FROM generate_series(0, 61) AS bit WHERE views >= (1::bigint << bit)),
  level_24h = (SELECT count(*) FROM generate_series(0, 61) AS bit WHERE views_24h >= (1::bigint << bit)),
  level_7d = (SELECT count(*) FROM generate_series(0, 61) AS bit WHERE views_7d >= (1::bigint << bit)),
  level_30d = (SELECT count(*) FROM generate_series(0, 61) AS bit WHERE views_30d >= (1::bigint << bit))
WHERE article_id IN (SELECT article_id FROM noted);
DROP TABLE noted_views;
ALTER TABLE content_changes DROP COLUMN hidden;
