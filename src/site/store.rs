//! Queries of the site.

use diesel::prelude::*;
use diesel::result::OptionalEmptyChangesetExtension;

use super::model::{SiteChanges, SiteRow};
use crate::db::schema::site;
use crate::db::{DbConn, Subject, Tx};
use crate::on_backend;

/// The site. There is always one.
pub fn find_site(conn: &mut DbConn) -> QueryResult<SiteRow> {
    on_backend!(conn, |c| site::table.find(1).select(SiteRow::as_select()).get_result(c))
}

/// Changes the site.
pub fn update_site(tx: &mut Tx<'_>, changes: &SiteChanges) -> QueryResult<SiteRow> {
    diesel::update(site::table.find(1))
        .set(changes)
        .execute(tx.conn)
        .optional_empty_changeset()?;
    tx.touch(Subject::Site);
    find_site(tx.conn)
}
