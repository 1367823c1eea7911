-- What search needs of each article that it finds: narrow, since a common word finds most of them.
CREATE TABLE article_facts (
  article_id INTEGER PRIMARY KEY,
  state TEXT NOT NULL,
  -- Microseconds since 1970: read a hundred thousand times in a search.
  listed_at BIGINT NOT NULL,
  category_id BIGINT,
  locale TEXT NOT NULL,
  featured BOOLEAN NOT NULL,
  -- Ids, parted by blanks.
  tags TEXT NOT NULL,
  authors TEXT NOT NULL,
  -- Another one with each writing, so that a rebuild sees what changed meanwhile.
  stamp BIGINT NOT NULL
);
INSERT INTO article_facts (article_id, state, listed_at, category_id, locale, featured, tags, authors, stamp)
SELECT id, state, CAST(strftime('%s', substr(listed_at, 1, 19)) AS INTEGER) * 1000000 + CAST(substr(listed_at, 21, 6) AS INTEGER),
  category_id, locale, featured,
  coalesce((SELECT group_concat(tag_id, ' ') FROM article_tags WHERE article_id = id), ''),
  coalesce((SELECT group_concat(author_id, ' ') FROM article_authors WHERE article_id = id), ''),
  0
FROM articles;

-- The index first: it knows the fewest. `lexemes` is what MATCH is asked of.
CREATE VIEW article_hits AS
SELECT facts.article_id, facts.state, facts.listed_at, facts.category_id, facts.locale, facts.featured, facts.tags,
  facts.authors, facts.stamp, article_index.article_index AS lexemes
FROM article_index CROSS JOIN article_facts AS facts ON facts.article_id = article_index.rowid;

-- The index, to be read lexeme by lexeme.
CREATE VIRTUAL TABLE article_vocab USING fts5vocab (article_index, instance);

-- Which analyser made the index; another one than the program's means that it has to be rebuilt.
CREATE TABLE index_state (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  analyser INTEGER NOT NULL
);
INSERT INTO index_state (id, analyser) VALUES (1, 0);

-- Articles whose entries are to be written anew: their tag was renamed or went. No foreign key: who notes articles would
-- wait for who writes them.
CREATE TABLE index_pending (
  article_id INTEGER PRIMARY KEY
);
