INSERT INTO article_index (rowid, lexemes) SELECT article_id, lexemes FROM article_fresh;
DROP TABLE article_fresh;
DROP VIEW article_hits;
CREATE VIEW article_hits AS
SELECT facts.article_id, facts.state, facts.listed_at, facts.category_id, facts.locale, facts.featured, facts.tags,
  facts.authors, facts.stamp, article_index.article_index AS lexemes
FROM article_index CROSS JOIN article_facts AS facts ON facts.article_id = article_index.rowid;
