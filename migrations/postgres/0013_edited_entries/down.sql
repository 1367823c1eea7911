-- PostgreSQL's index has had a part for what was edited lately since 0010: nothing to do, but a migration must not be empty.
SELECT 1;
