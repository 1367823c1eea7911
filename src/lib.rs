//! Broadsheet: a headless JSON content API for Chinese-language news and review sites.
//!
//! # The map of the house
//!
//! A feature is a folder of three files: `routes.rs` (HTTP in and out), `model.rs` (what it is, in JSON and in rows) and
//! `store.rs` (every query it makes), with `mod.rs` to say what it is for and to `configure` its routes. A request goes
//! from a route through [`db::Db::read`] and its like, or [`db::Db::write`], to a store: three steps. Stores are free functions
//! on a connection, so that several join in one transaction.
//!
//! The rooms stand in one order, and each uses only what stands before it; a test holds that:
//!
//! | room | what it is |
//! |---|---|
//! | [`config`], [`error`] | settings, checked; the one error type and its problem documents |
//! | [`db`] | both databases: connections, the one writer, migrations, column types, who sees what |
//! | [`text`] | pure functions on text: rendering, Chinese analysis, slugs, summaries, highlights |
//! | [`web`] | HTTP that knows no feature: typed queries and bodies, validators, answers, problems |
//! | [`auth`] | sign-in, tokens, and who is calling |
//! | [`users`] | accounts and API keys, for admins |
//! | [`site`] | the site's own facts |
//! | [`images`] | uploads, and the files that readers load |
//! | [`taxonomy`] | categories, tags, authors |
//! | [`index`] | full text: what an article says in, ids out |
//! | [`articles`] | articles |
//! | [`search`] | finding them |
//! | [`views`] | counting who read them, and what is read most |
//! | [`ops`] | health and background work |
//! | [`openapi`], [`server`], [`cli`] | the one document; the HTTP server; the commands |
//!
//! What differs between SQLite and PostgreSQL stands in `db` or in one `store.rs`, never in a route.

pub mod articles;
pub mod auth;
pub mod cli;
pub mod config;
pub mod db;
pub mod error;
pub mod images;
pub mod index;
pub mod openapi;
pub mod ops;
pub mod search;
pub mod server;
pub mod site;
pub mod taxonomy;
pub mod text;
pub mod users;
pub mod views;
pub mod web;
