//! Who reads what: views counted once a visitor, each answered after it is durable, and what they add up to.
//!
//! A view comes in by [`routes`] and is given to the [`Counter`], which writes what arrives together in one transaction.
//! [`tally`] decides which views count; [`store`] writes them, and what it has lately found is [`known`] without asking. They
//! add to the count of all time, to the counts of the last 24 hours, 7 days and 30 days ([`windows`]), and to their hour
//! ([`series`]), all in one row of the article: its hour becomes a row of its own when the article is read in another one. The
//! row also says whether everybody sees the article, which its first view finds out and a write that hides it takes back.
//! [`upkeep`] adds up what was only noted, moves the windows on, lets hours become days, and forgets who was counted.

mod counter;
mod crawler;
mod known;
mod model;
mod query;
mod routes;
mod series;
mod store;
mod tally;
pub mod upkeep;
mod visitor;
mod windows;

pub use self::counter::Counter;
pub use self::routes::shortcut;
use crate::web::Services;

/// Registers the routes; after those of articles, of which one may have the slug `views`.
pub fn configure(config: &mut Services<'_, '_>) {
    config
        .service(routes::count_view)
        .service(routes::count_views)
        .service(routes::list_views)
        .service(routes::list_most_viewed);
}
