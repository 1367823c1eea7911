DROP TABLE tag_keys;
