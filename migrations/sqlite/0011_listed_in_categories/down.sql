DROP TABLE article_listings;
CREATE TABLE article_listings (
  -- 0 a category, 1 a tag, 2 an author.
  kind INTEGER NOT NULL,
  owner_id BIGINT NOT NULL,
  listed_at TEXT NOT NULL,
  article_id BIGINT NOT NULL,
  PRIMARY KEY (kind, owner_id, listed_at, article_id)
) WITHOUT ROWID;
CREATE INDEX article_listings_article ON article_listings (article_id);

WITH RECURSIVE above (category_id, owner_id) AS (
  SELECT id, id FROM categories
  UNION ALL
  SELECT above.category_id, categories.parent_id FROM above JOIN categories ON categories.id = above.owner_id
  WHERE categories.parent_id IS NOT NULL
)
INSERT INTO article_listings (kind, owner_id, listed_at, article_id)
SELECT 0, above.owner_id, articles.listed_at, articles.id
FROM articles JOIN above ON above.category_id = articles.category_id WHERE articles.state = 'published';
INSERT INTO article_listings (kind, owner_id, listed_at, article_id)
SELECT 1, article_tags.tag_id, articles.listed_at, articles.id
FROM articles JOIN article_tags ON article_tags.article_id = articles.id WHERE articles.state = 'published';
INSERT INTO article_listings (kind, owner_id, listed_at, article_id)
SELECT 2, article_authors.author_id, articles.listed_at, articles.id
FROM articles JOIN article_authors ON article_authors.article_id = articles.id WHERE articles.state = 'published';
