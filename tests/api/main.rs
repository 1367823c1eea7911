//! The whole server, over HTTP, on both databases.
#![cfg(test)]

mod articles;
mod auth;
mod cache;
mod database;
mod images;
mod import;
mod media;
mod media_s3;
mod openapi;
mod search;
mod search_index;
mod site;
mod suggest;
mod support;
mod taxonomy;
mod users;
mod views;
