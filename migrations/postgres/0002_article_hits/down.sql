DROP TABLE IF EXISTS article_hits_new;
DROP TABLE index_pending;
DROP TABLE index_state;
CREATE TABLE article_index (
  article_id BIGINT PRIMARY KEY REFERENCES articles (id) ON DELETE CASCADE,
  lexemes TSVECTOR NOT NULL
);
INSERT INTO article_index SELECT article_id, lexemes FROM article_hits
WHERE EXISTS (SELECT 1 FROM articles WHERE id = article_id);
DROP TABLE article_hits;
CREATE INDEX article_index_lexemes ON article_index USING GIN (lexemes) WITH (fastupdate = off);
