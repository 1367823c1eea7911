INSERT INTO article_hits_indexed
  SELECT article_id, state, listed_at, category_id, locale, featured, tags, authors, stamp, lexemes, false
  FROM article_hits_fresh;
ALTER TABLE article_hits DETACH PARTITION article_hits_indexed;
DROP TABLE article_hits;
ALTER TABLE article_hits_indexed DROP COLUMN fresh;
ALTER TABLE article_hits_indexed RENAME TO article_hits;
ALTER INDEX article_hits_indexed_pkey RENAME TO article_hits_pkey;
ALTER INDEX article_hits_indexed_lexemes RENAME TO article_hits_lexemes;
