-- What is listed of a tag or an author is listed in each category as well, and in a place of its own: a list of what a tag has
-- in a category was read along all that the tag has, the more the fewer of it belong.
DROP TABLE article_listings;
CREATE TABLE article_listings (
  -- 0 whatever there is, 1 of a tag, 2 of an author.
  kind INTEGER NOT NULL,
  -- 0 of whatever there is.
  owner_id BIGINT NOT NULL,
  -- The article's category or one above it; 0 wherever it is.
  category_id BIGINT NOT NULL,
  listed_at TEXT NOT NULL,
  article_id BIGINT NOT NULL,
  PRIMARY KEY (kind, owner_id, category_id, listed_at, article_id)
) WITHOUT ROWID;

WITH RECURSIVE above (category_id, owner_id) AS (
  SELECT id, id FROM categories
  UNION ALL
  SELECT above.category_id, categories.parent_id FROM above JOIN categories ON categories.id = above.owner_id
  WHERE categories.parent_id IS NOT NULL
), places (article_id, listed_at, category_id) AS (
  SELECT id, listed_at, 0 FROM articles WHERE state = 'published'
  UNION ALL
  SELECT articles.id, articles.listed_at, above.owner_id
  FROM articles JOIN above ON above.category_id = articles.category_id WHERE articles.state = 'published'
), owners (article_id, kind, owner_id) AS (
  SELECT id, 0, 0 FROM articles WHERE state = 'published'
  UNION ALL
  SELECT article_id, 1, tag_id FROM article_tags
  UNION ALL
  SELECT article_id, 2, author_id FROM article_authors
)
INSERT INTO article_listings (kind, owner_id, category_id, listed_at, article_id)
SELECT owners.kind, owners.owner_id, places.category_id, places.listed_at, places.article_id
FROM places JOIN owners ON owners.article_id = places.article_id
WHERE owners.kind <> 0 OR places.category_id <> 0;

CREATE INDEX article_listings_article ON article_listings (article_id);
