-- While articles are edited, PostgreSQL analyses their tables again and again, once a minute at most: it counts what each column
-- holds, to plan by it. Nothing is asked of most columns of an article by what they hold, and two others are unique, which says
-- enough. The lexemes of edited articles have no index that could be planned with, and take longer to count than all these
-- columns. What was counted before stays as it was.
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

-- The lexemes of the other articles take seconds. An article that was edited counts as two changes here: it leaves its part and
-- comes back.
ALTER TABLE article_hits_0 SET (autovacuum_analyze_scale_factor = 0.2);
ALTER TABLE article_hits_1 SET (autovacuum_analyze_scale_factor = 0.2);

-- Where edited articles wait, long values come and go. Space that is given back to the system is asked for again at once, and
-- edits wait while it is given back. So it goes for long values alone: searches read the rows from first to last, and must not
-- go through what is empty.
ALTER TABLE article_hits_fresh SET (toast.vacuum_truncate = false);
