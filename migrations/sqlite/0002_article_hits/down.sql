DROP TABLE IF EXISTS article_index_new;
DROP TABLE IF EXISTS article_facts_new;
DROP TABLE index_pending;
DROP TABLE index_state;
DROP TABLE article_vocab;
DROP VIEW article_hits;
DROP TABLE article_facts;
