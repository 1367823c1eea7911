//! What search reads of an article includes the names of its tags, so that a tag that changes makes work for the index,
//! which stands above this room: the server hands the function down.

use crate::db::{Db, Tx};
use crate::error::{Error, Result};

/// Writes anew what search knows of some articles of which that is due; whether there may be more.
#[derive(Clone, Copy)]
pub struct Reindex(pub fn(&mut Tx<'_>) -> Result<bool>);

impl Reindex {
    /// Does it for all that are due; when it returns, search finds them by their tags' present names. It goes on to the
    /// end also where who asked has gone; what a crash leaves is done at the next start.
    pub async fn all(self, db: &Db) -> Result<()> {
        let db = db.clone();
        let work = tokio::spawn(async move {
            while db.write(self.0).await? {}
            Ok(())
        });
        work.await.map_err(Error::internal)?
    }
}
