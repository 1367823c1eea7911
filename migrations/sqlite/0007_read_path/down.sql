DROP TABLE article_listings;
DROP TABLE content_changes;
