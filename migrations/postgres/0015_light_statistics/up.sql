-- While articles are edited, the server counts anew what stands in their columns once a minute. Of most nothing is ever asked by
-- what they hold, or they are unique, which says enough; and to count the lexemes of the edited takes longer than all of them.
ALTER TABLE articles
  ALTER COLUMN slug SET STATISTICS 0,
  ALTER COLUMN title SET STATISTICS 0,
  ALTER COLUMN summary SET STATISTICS 0,
  ALTER COLUMN derived_summary SET STATISTICS 0,
  ALTER COLUMN created_at SET STATISTICS 0,
  ALTER COLUMN version SET STATISTICS 0,
  ALTER COLUMN word_count SET STATISTICS 0,
  ALTER COLUMN reading_minutes SET STATISTICS 0,
  ALTER COLUMN source_name SET STATISTICS 0,
  ALTER COLUMN source_url SET STATISTICS 0,
  ALTER COLUMN seo_title SET STATISTICS 0,
  ALTER COLUMN seo_description SET STATISTICS 0,
  ALTER COLUMN external_id SET STATISTICS 0,
  ALTER COLUMN metadata SET STATISTICS 0,
  ALTER COLUMN source_format SET STATISTICS 0;
ALTER TABLE article_hits_fresh ALTER COLUMN lexemes SET STATISTICS 0;

-- Nor are the lexemes of all others counted anew for every tenth article that was edited: for seconds, while the shares in which
-- they occur hardly change. (These are there once an index was built; one that is built has the same settings.)
ALTER TABLE IF EXISTS article_hits_0 SET (autovacuum_analyze_scale_factor = 0.5);
ALTER TABLE IF EXISTS article_hits_1 SET (autovacuum_analyze_scale_factor = 0.5);

-- This part empties and fills again: pages that were given back to the system would be asked of it again, and to give them back
-- keeps every edit waiting.
ALTER TABLE article_hits_fresh SET (vacuum_truncate = false);
