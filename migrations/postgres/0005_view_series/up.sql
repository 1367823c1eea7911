-- Beside the count of all time, those of the last 24 hours, 7 days and 30 days. A level is the number of binary digits of
-- its count: it changes seldom, so that an index on it costs a view nothing, and the most read stand at its end.
ALTER TABLE article_views ADD COLUMN level INTEGER NOT NULL DEFAULT 0;
ALTER TABLE article_views ADD COLUMN views_24h BIGINT NOT NULL DEFAULT 0;
ALTER TABLE article_views ADD COLUMN level_24h INTEGER NOT NULL DEFAULT 0;
ALTER TABLE article_views ADD COLUMN views_7d BIGINT NOT NULL DEFAULT 0;
ALTER TABLE article_views ADD COLUMN level_7d INTEGER NOT NULL DEFAULT 0;
ALTER TABLE article_views ADD COLUMN views_30d BIGINT NOT NULL DEFAULT 0;
ALTER TABLE article_views ADD COLUMN level_30d INTEGER NOT NULL DEFAULT 0;
-- Room beside a row for its next version, which then needs no entry in an index.
ALTER TABLE article_views SET (fillfactor = 70);
UPDATE article_views SET level = (SELECT count(*) FROM generate_series(0, 61) AS bit WHERE views >= (1::bigint << bit))
  WHERE views > 0;
CREATE INDEX article_views_level ON article_views (level);
CREATE INDEX article_views_level_24h ON article_views (level_24h);
CREATE INDEX article_views_level_7d ON article_views (level_7d);
CREATE INDEX article_views_level_30d ON article_views (level_30d);

-- The views of an hour; the hour by the second at which it begins, counted from 1970. They refer to the counts and not to
-- the article: who counts holds the counts alone, and never waits for who edits the article.
CREATE TABLE views_by_hour (
  article_id BIGINT NOT NULL REFERENCES article_views (article_id) ON DELETE CASCADE,
  hour BIGINT NOT NULL,
  views BIGINT NOT NULL,
  PRIMARY KEY (article_id, hour)
) WITH (fillfactor = 70);
CREATE INDEX views_by_hour_hour ON views_by_hour (hour, article_id);

-- What hours become when they are old; days in the site's zone, counted from 1970-01-01.
CREATE TABLE views_by_day (
  article_id BIGINT NOT NULL REFERENCES article_views (article_id) ON DELETE CASCADE,
  day INTEGER NOT NULL,
  views BIGINT NOT NULL,
  PRIMARY KEY (article_id, day)
);

-- Up to which hour (the second of its beginning) the counts of the last hours and days have been moved on.
CREATE TABLE view_windows (
  id BIGINT PRIMARY KEY CHECK (id = 1),
  until BIGINT NOT NULL
);
INSERT INTO view_windows (id, until) VALUES (1, 0);

-- Who was counted when, as long as that may keep another view from counting. Old days lie together, and go together.
CREATE TABLE counted_views (
  -- Whether the visitor is one that an app names, or made of an address and a user agent under the salt of the day.
  named BOOLEAN NOT NULL,
  day INTEGER NOT NULL,
  visitor BYTEA NOT NULL,
  article_id BIGINT NOT NULL,
  -- Microseconds since 1970.
  viewed_at BIGINT NOT NULL,
  PRIMARY KEY (named, day, visitor, article_id, viewed_at)
);

-- Events of apps that were counted, as long as they may be sent again.
CREATE TABLE view_events (
  event_id BYTEA PRIMARY KEY,
  viewed_at BIGINT NOT NULL
);
CREATE INDEX view_events_viewed_at ON view_events (viewed_at);

-- Under which visitors are hashed; days of UTC, counted from 1970-01-01. Day 0 is for visitors that apps name, and stays.
CREATE TABLE view_salts (
  day INTEGER PRIMARY KEY,
  salt TEXT COLLATE "C" NOT NULL
);
