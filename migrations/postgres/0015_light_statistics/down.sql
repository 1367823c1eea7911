ALTER TABLE articles
  ALTER COLUMN slug SET STATISTICS -1,
  ALTER COLUMN title SET STATISTICS -1,
  ALTER COLUMN summary SET STATISTICS -1,
  ALTER COLUMN derived_summary SET STATISTICS -1,
  ALTER COLUMN created_at SET STATISTICS -1,
  ALTER COLUMN version SET STATISTICS -1,
  ALTER COLUMN word_count SET STATISTICS -1,
  ALTER COLUMN reading_minutes SET STATISTICS -1,
  ALTER COLUMN source_name SET STATISTICS -1,
  ALTER COLUMN source_url SET STATISTICS -1,
  ALTER COLUMN seo_title SET STATISTICS -1,
  ALTER COLUMN seo_description SET STATISTICS -1,
  ALTER COLUMN external_id SET STATISTICS -1,
  ALTER COLUMN metadata SET STATISTICS -1,
  ALTER COLUMN source_format SET STATISTICS -1;
ALTER TABLE article_hits_fresh ALTER COLUMN lexemes SET STATISTICS -1;
ALTER TABLE article_hits_0 RESET (autovacuum_analyze_scale_factor);
ALTER TABLE article_hits_1 RESET (autovacuum_analyze_scale_factor);
ALTER TABLE article_hits_fresh RESET (toast.vacuum_truncate);
