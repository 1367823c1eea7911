//! Pure functions on text: what is written becomes what is shown, searched and addressed.

pub mod analyse;
pub mod flow;
pub mod highlight;
pub mod normalise;
pub mod query;
pub mod render;
pub mod slug;
pub mod sound;
pub mod summary;
