//! What search reads of an article includes the names of its tags, so that a tag that changes makes work for the index,
//! which stands above this room: the server hands the function down.

use crate::db::{Db, Tx};
use crate::error::{Error, Result};

/// How many articles one transaction takes, so that other writers need not wait for a large tag.
const AT_A_TIME: usize = 50;

/// Writes what search reads of these articles anew.
#[derive(Clone, Copy)]
pub struct Reindex(pub fn(&mut Tx<'_>, &[i64]) -> Result<()>);

impl Reindex {
    /// Does it for all of them; when it returns, search finds them by the tag's present name. It goes on to the end
    /// also where who asked has gone.
    pub async fn all(self, db: &Db, articles: Vec<i64>) -> Result<()> {
        let db = db.clone();
        let work = tokio::task::spawn_local(async move {
            for part in articles.chunks(AT_A_TIME) {
                let part = part.to_vec();
                db.write(move |tx| (self.0)(tx, &part)).await?;
            }
            Ok(())
        });
        work.await.map_err(Error::internal)?
    }
}
