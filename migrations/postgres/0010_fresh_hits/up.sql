-- An edit takes every lexeme of an article into the index again, some thousands, and who edits an article mostly edits it
-- again soon. What was edited waits in a part of its own, without an index, that searches read whole: it stays small. The
-- server moves what was left alone to the others.
-- What an index that is being made is made beside changes.
DROP TABLE IF EXISTS article_hits_new;
ALTER TABLE article_hits RENAME TO article_hits_indexed;
ALTER INDEX article_hits_pkey RENAME TO article_hits_indexed_pkey;
ALTER INDEX article_hits_lexemes RENAME TO article_hits_indexed_lexemes;
ALTER TABLE article_hits_indexed ADD COLUMN fresh BOOLEAN NOT NULL DEFAULT false;
CREATE TABLE article_hits (LIKE article_hits_indexed INCLUDING DEFAULTS) PARTITION BY LIST (fresh);
ALTER TABLE article_hits ATTACH PARTITION article_hits_indexed FOR VALUES IN (false);
CREATE TABLE article_hits_fresh PARTITION OF article_hits (PRIMARY KEY (article_id)) FOR VALUES IN (true)
  WITH (toast_tuple_target = 128);
-- Read with nearly every search while they are there.
ALTER TABLE article_hits_fresh ALTER COLUMN lexemes SET STORAGE EXTERNAL;
