-- Views of many articles that were counted at once, as one row that costs one page, instead of a row of each article. Soon
-- added to the articles, those of many rows together. The second in which they came, since 1970, and how many there were of
-- each article: a JSON object of numbers by ids.
CREATE TABLE noted_views (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  viewed_at BIGINT NOT NULL,
  views TEXT COLLATE "C" NOT NULL
);

-- How often an article was hidden: who keeps in memory which articles everybody sees asks with each view whether this is still
-- the number that he knows.
ALTER TABLE content_changes ADD COLUMN hidden BIGINT NOT NULL DEFAULT 0;
