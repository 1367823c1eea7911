DROP TABLE search_queries;
DROP TABLE synonyms;
DROP INDEX tags_word_key;
ALTER TABLE tags DROP COLUMN word_key;
