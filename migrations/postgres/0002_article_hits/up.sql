-- What search needs of each article that it finds stands beside its lexemes: narrow, since a common word finds most of
-- them. The lexemes themselves are kept elsewhere, however few, so that a page of the table holds many rows.
-- Two parts, since PostgreSQL makes an index of this kind on one core alone: made anew, it takes half as long.
-- No foreign key: who removes an article removes its entry, and a rebuild must not have to hold the articles.
CREATE TABLE article_hits (
  article_id BIGINT PRIMARY KEY,
  state TEXT COLLATE "C" NOT NULL,
  -- Microseconds since 1970: read a hundred thousand times in a search.
  listed_at BIGINT NOT NULL,
  category_id BIGINT,
  locale TEXT COLLATE "C" NOT NULL,
  featured BOOLEAN NOT NULL,
  -- Ids, parted by blanks.
  tags TEXT COLLATE "C" NOT NULL,
  authors TEXT COLLATE "C" NOT NULL,
  -- Another one with each writing, so that a rebuild sees what changed meanwhile.
  stamp BIGINT NOT NULL,
  lexemes TSVECTOR NOT NULL
) PARTITION BY HASH (article_id);
CREATE TABLE article_hits_0 PARTITION OF article_hits FOR VALUES WITH (MODULUS 2, REMAINDER 0)
  WITH (toast_tuple_target = 128);
CREATE TABLE article_hits_1 PARTITION OF article_hits FOR VALUES WITH (MODULUS 2, REMAINDER 1)
  WITH (toast_tuple_target = 128);
INSERT INTO article_hits
SELECT id, state, (extract(epoch FROM listed_at) * 1000000)::bigint, category_id, locale, featured,
  coalesce((SELECT string_agg(tag_id::text, ' ') FROM article_tags WHERE article_tags.article_id = id), ''),
  coalesce((SELECT string_agg(author_id::text, ' ') FROM article_authors WHERE article_authors.article_id = id), ''),
  0, coalesce(lexemes, ''::tsvector)
FROM articles LEFT JOIN article_index ON article_index.article_id = articles.id;
DROP TABLE article_index;
-- A writer appends to the pending list, which is a tenth of the work; the server empties it every second, and only behind
-- some 300 articles (16 MB) a writer has to do it.
CREATE INDEX article_hits_0_lexemes ON article_hits_0 USING GIN (lexemes)
  WITH (fastupdate = on, gin_pending_list_limit = 16384);
CREATE INDEX article_hits_1_lexemes ON article_hits_1 USING GIN (lexemes)
  WITH (fastupdate = on, gin_pending_list_limit = 16384);
CREATE INDEX article_hits_lexemes ON article_hits USING GIN (lexemes);

-- Which analyser made the index; another one than the program's means that it has to be rebuilt.
CREATE TABLE index_state (
  id BIGINT PRIMARY KEY CHECK (id = 1),
  analyser INTEGER NOT NULL
);
INSERT INTO index_state (id, analyser) VALUES (1, 0);

-- Articles whose entries are to be written anew: their tag was renamed or went. No foreign key: who notes articles would
-- wait for who writes them.
CREATE TABLE index_pending (
  article_id BIGINT PRIMARY KEY
);
