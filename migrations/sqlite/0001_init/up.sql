CREATE TABLE users (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  email TEXT NOT NULL,
  email_key TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('contributor', 'editor', 'admin')),
  password_hash TEXT NOT NULL,
  active BOOLEAN NOT NULL,
  created_at TEXT NOT NULL
);

-- One row a sign-in; its refresh tokens rotate. A token that comes twice ends the session.
CREATE TABLE sessions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  created_at TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  revoked_at TEXT
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE refresh_tokens (
  digest TEXT PRIMARY KEY,
  session_id BIGINT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  used_at TEXT
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);

CREATE TABLE api_keys (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  scope TEXT NOT NULL CHECK (scope IN ('read', 'preview', 'write')),
  prefix TEXT NOT NULL,
  digest TEXT NOT NULL UNIQUE,
  created_at TEXT NOT NULL,
  expires_at TEXT,
  last_used_at TEXT,
  revoked_at TEXT
);

CREATE TABLE signing_keys (
  kid TEXT PRIMARY KEY,
  jwk TEXT NOT NULL,
  created_at TEXT NOT NULL
);

CREATE TABLE site (
  id BIGINT PRIMARY KEY CHECK (id = 1),
  name TEXT NOT NULL,
  description TEXT,
  locale TEXT NOT NULL,
  url TEXT,
  article_url TEXT,
  time_zone TEXT,
  navigation TEXT NOT NULL
);
INSERT INTO site (id, name, description, locale, url, article_url, time_zone, navigation)
VALUES (1, 'Broadsheet', NULL, 'zh-CN', NULL, NULL, NULL, '[]');

CREATE TABLE images (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  hash TEXT NOT NULL UNIQUE,
  media_type TEXT NOT NULL,
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  bytes BIGINT NOT NULL,
  transparent BOOLEAN NOT NULL,
  alt TEXT,
  caption TEXT,
  credit TEXT,
  focal_x DOUBLE NOT NULL,
  focal_y DOUBLE NOT NULL,
  created_by BIGINT REFERENCES users (id) ON DELETE SET NULL,
  created_at TEXT NOT NULL
);

CREATE TABLE categories (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  slug TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  description TEXT,
  parent_id BIGINT REFERENCES categories (id) ON DELETE RESTRICT,
  position INTEGER NOT NULL
);
CREATE INDEX categories_parent ON categories (parent_id);

CREATE TABLE tags (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  slug TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL UNIQUE,
  -- Whether an editor made it by itself; one that came with an article is seen with that article alone.
  declared BOOLEAN NOT NULL
);
CREATE INDEX tags_name ON tags (name, id);

CREATE TABLE authors (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  slug TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  bio TEXT,
  avatar_image_id BIGINT REFERENCES images (id) ON DELETE RESTRICT,
  links TEXT NOT NULL
);
CREATE INDEX authors_name ON authors (name, id);
CREATE INDEX authors_avatar ON authors (avatar_image_id);

-- What lists show; bodies stand in article_bodies, so that lists never page through them.
CREATE TABLE articles (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  slug TEXT NOT NULL UNIQUE,
  title TEXT NOT NULL,
  summary TEXT,
  derived_summary TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('draft', 'published', 'archived')),
  published_at TEXT,
  -- published_at, or created_at where there is none: what lists sort by.
  listed_at TEXT NOT NULL,
  created_at TEXT NOT NULL,
  -- The later of the last edit and the publication.
  updated_at TEXT NOT NULL,
  version BIGINT NOT NULL,
  category_id BIGINT REFERENCES categories (id) ON DELETE RESTRICT,
  cover_image_id BIGINT REFERENCES images (id) ON DELETE RESTRICT,
  locale TEXT NOT NULL,
  featured BOOLEAN NOT NULL,
  word_count BIGINT NOT NULL,
  reading_minutes INTEGER NOT NULL,
  source_name TEXT,
  source_url TEXT,
  seo_title TEXT,
  seo_description TEXT,
  external_id TEXT UNIQUE,
  metadata TEXT NOT NULL,
  source_format TEXT NOT NULL CHECK (source_format IN ('markdown', 'html', 'text')),
  created_by BIGINT REFERENCES users (id) ON DELETE SET NULL,
  CHECK (state <> 'published' OR published_at IS NOT NULL)
);
CREATE INDEX articles_published ON articles (state, listed_at, id);
CREATE INDEX articles_updated ON articles (state, updated_at, id);
CREATE INDEX articles_any_published ON articles (listed_at, id);
CREATE INDEX articles_any_updated ON articles (updated_at, id);
CREATE INDEX articles_category ON articles (category_id, state, listed_at, id);
CREATE INDEX articles_cover ON articles (cover_image_id);
CREATE INDEX articles_author ON articles (created_by);

-- What the author wrote (source) and what was rendered from it (html, markdown, text, blocks), one row a format.
CREATE TABLE article_bodies (
  article_id BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
  format TEXT NOT NULL,
  renderer INTEGER NOT NULL,
  content TEXT NOT NULL,
  PRIMARY KEY (article_id, format)
);

CREATE TABLE former_slugs (
  slug TEXT PRIMARY KEY,
  article_id BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE
);
CREATE INDEX former_slugs_article ON former_slugs (article_id);

CREATE TABLE article_tags (
  article_id BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
  tag_id BIGINT NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  PRIMARY KEY (article_id, tag_id)
);
CREATE INDEX article_tags_tag ON article_tags (tag_id, article_id);

CREATE TABLE article_authors (
  article_id BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
  author_id BIGINT NOT NULL REFERENCES authors (id) ON DELETE RESTRICT,
  position INTEGER NOT NULL,
  PRIMARY KEY (article_id, author_id)
);
CREATE INDEX article_authors_author ON article_authors (author_id, article_id);

-- Which pictures an article shows; the foreign key keeps a picture in use from being deleted, without a race.
CREATE TABLE image_uses (
  article_id BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
  image_id BIGINT NOT NULL REFERENCES images (id) ON DELETE RESTRICT,
  PRIMARY KEY (article_id, image_id)
);
CREATE INDEX image_uses_image ON image_uses (image_id, article_id);

-- Beside the article, so that a view rewrites nothing else.
CREATE TABLE article_views (
  article_id BIGINT PRIMARY KEY REFERENCES articles (id) ON DELETE CASCADE,
  views BIGINT NOT NULL
);

-- Sets of lexemes without positions: ranking and highlights are the application's.
CREATE VIRTUAL TABLE article_index USING fts5 (
  lexemes, content = '', contentless_delete = 1, detail = none, tokenize = "ascii tokenchars '+#_'"
);
