-- An edit writes every lexeme of an article into the index again, some thousands, and who edits an article mostly edits it
-- again soon. What was edited waits beside the index, as text that searches read whole: it stays small. The server moves
-- what was left alone into the index.
CREATE TABLE article_fresh (
  article_id INTEGER PRIMARY KEY,
  -- When it was edited, in microseconds since 1970.
  stamp BIGINT NOT NULL,
  -- In the order of their bytes, parted by blanks.
  lexemes TEXT NOT NULL
);

-- What searches read of the articles that the index finds. The index is no part of it any more, since not all are in there.
DROP VIEW article_hits;
CREATE VIEW article_hits AS
SELECT article_id, state, listed_at, category_id, locale, featured, tags, authors, stamp FROM article_facts;
