-- How a tag may be typed: its name folded, its pinyin, the initials of that. The application writes them.
CREATE TABLE tag_keys (
  tag_id BIGINT NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  PRIMARY KEY (tag_id, key)
);
CREATE INDEX tag_keys_key ON tag_keys (key, tag_id);
