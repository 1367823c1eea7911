//! Who is calling, and what they may do: a handler states its rule by the type of its extractor.

use std::collections::HashMap;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::AUTHORIZATION;
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage, HttpRequest, ResponseError, web};
use futures_util::future::Either;

use super::{Auth, secret, store};
use crate::db::{Db, Sight, Timestamp};
use crate::error::{Code, Error, Result};
use crate::text_enum;

text_enum! {
    /// What an account may do.
    pub enum Role {
        /// Writes drafts of their own.
        Contributor = "contributor",
        /// Publishes, and edits everything.
        Editor = "editor",
        /// An editor who also manages accounts and keys.
        Admin = "admin",
    }
}

text_enum! {
    /// What an API key may do.
    pub enum Scope {
        /// What everybody may.
        Read = "read",
        /// That, and see drafts.
        Preview = "preview",
        /// What an editor may.
        Write = "write",
    }
}

/// Who is calling. As an extractor it takes everybody; credentials that are no good are 401, on public reads as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// Nobody known.
    Anonymous,
    /// An account.
    User {
        /// Its id.
        id: i64,
        /// Its role, as it is now.
        role: Role,
        /// The sign-in that its token belongs to.
        session: i64,
    },
    /// An API key.
    Key {
        /// Its id.
        id: i64,
        /// What it may do.
        scope: Scope,
    },
}

impl Viewer {
    /// How far they see.
    pub fn sight(&self) -> Sight {
        match self {
            Self::Anonymous | Self::Key { scope: Scope::Read, .. } => Sight::Public,
            Self::User {
                id,
                role: Role::Contributor,
                ..
            } => Sight::Own(*id),
            Self::User { .. } | Self::Key { .. } => Sight::All,
        }
    }

    /// Whether they may publish and edit everything.
    pub fn may_publish(&self) -> bool {
        matches!(
            self,
            Self::User {
                role: Role::Editor | Role::Admin,
                ..
            } | Self::Key {
                scope: Scope::Write,
                ..
            }
        )
    }

    /// The account, if it is one.
    pub fn user_id(&self) -> Option<i64> {
        match self {
            Self::User { id, .. } => Some(*id),
            Self::Anonymous | Self::Key { .. } => None,
        }
    }

    /// 401 for nobody known, 403 for others, unless the condition holds.
    pub fn require(&self, allowed: bool) -> Result<()> {
        match self {
            _ if allowed => Ok(()),
            Self::Anonymous => Err(Error::new(Code::Unauthenticated)),
            Self::User { .. } | Self::Key { .. } => Err(Error::new(Code::Forbidden)),
        }
    }
}

/// Who is signed in, as an account or by an API key.
#[derive(Clone, Debug)]
pub struct SignedIn(pub Viewer);

/// Who may write at all: contributors (their own drafts), editors, admins, keys that write.
#[derive(Clone, Debug)]
pub struct Contributor(pub Viewer);

/// Who may publish: editors, admins, keys that write.
#[derive(Clone, Debug)]
pub struct Editor(pub Viewer);

/// Admins.
#[derive(Clone, Debug)]
pub struct Admin(pub Viewer);

/// An account, whatever its role: not an API key.
#[derive(Clone, Copy, Debug)]
pub struct Account {
    /// Its id.
    pub id: i64,
    /// Its role, as it is now.
    pub role: Role,
    /// The sign-in that its token belongs to.
    pub session: i64,
}

/// Where credentials are not looked at: clients that send a token with every request must get a new one with an old one.
const NO_CREDENTIALS: &[&str] = &["/api/v1/auth/login", "/api/v1/auth/refresh", "/api/v1/auth/logout"];

/// The middleware that settles who is calling, before a parameter or a body is read: credentials that are no good are
/// 401 everywhere in the API, also where nobody asks for them. Bad input of somebody who may not call at all would
/// otherwise be answered now by what is wrong with it, now by 401, as the database is slow or fast.
pub async fn identify(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    if !NO_CREDENTIALS.contains(&request.path()) {
        match resolve(request.request()).await {
            Ok(viewer) => {
                request.extensions_mut().insert(viewer);
            }
            // Answered here: as an error it would lose its request, and with it the form that problems have.
            Err(error) => return Ok(request.into_response(error.error_response())),
        }
    }
    next.call(request).await.map(ServiceResponse::map_into_boxed_body)
}

async fn resolve(request: &HttpRequest) -> Result<Viewer> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let Some(header) = headers.next() else {
        return Ok(Viewer::Anonymous);
    };
    let invalid = || Error::new(Code::InvalidToken);
    // Of two headers, nobody knows which one a proxy went by.
    if headers.next().is_some() {
        return Err(invalid());
    }
    let (scheme, token) = header
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .ok_or_else(invalid)?;
    let token = token.trim_matches(' ').to_owned();
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(invalid());
    }
    let state = |name| Error::internal(format!("no {name} in the state of the server"));
    let db = request.app_data::<web::Data<Db>>().ok_or_else(|| state("Db"))?;
    let auth = request.app_data::<web::Data<Auth>>().ok_or_else(|| state("Auth"))?;
    if token.starts_with(secret::API_KEY_MARK) {
        let digest = secret::digest(&token);
        let found = db.look(move |read| Ok(store::api_key_of(read, &digest)?)).await?;
        let (id, scope, last_used_at) = found.ok_or_else(invalid)?;
        if auth.key_uses.is_due(id, last_used_at, Timestamp::now()) {
            note_use(db, id);
        }
        return Ok(Viewer::Key { id, scope });
    }
    let bearer = auth.keys.verify(db, &token).await?;
    let role = db
        .look(move |read| Ok(store::role_in_session(read, bearer.user, bearer.session)?))
        .await?;
    Ok(Viewer::User {
        id: bearer.user,
        role: role.ok_or_else(invalid)?,
        session: bearer.session,
    })
}

/// When each API key's use was last noted, so that of many requests at once one writes.
#[derive(Default)]
pub(super) struct KeyUses(Mutex<HashMap<i64, Timestamp>>);

impl KeyUses {
    /// Whether a use at `now` is to be noted: a minute after the last one that was, here or in another instance.
    fn is_due(&self, id: i64, stored: Option<Timestamp>, now: Timestamp) -> bool {
        let long_ago = |last: Timestamp| now.micros() - last.micros() >= 60_000_000;
        if stored.is_some_and(|last| !long_ago(last)) {
            return false;
        }
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.get(&id).is_some_and(|last| !long_ago(*last)) {
            return false;
        }
        noted.insert(id, now);
        true
    }
}

/// Writes beside the request, which does not wait for it.
fn note_use(db: &web::Data<Db>, id: i64) {
    let db = db.clone();
    actix_web::rt::spawn(async move {
        if let Err(error) = db.write(move |tx| Ok(store::note_key_use(tx, id)?)).await {
            log::warn!("the use of API key {id} was not noted: {error}");
        }
    });
}

type Extracted<T> = Pin<Box<dyn Future<Output = Result<T>>>>;

impl FromRequest for Viewer {
    type Error = Error;
    type Future = Either<Ready<Result<Self>>, Extracted<Self>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        if let Some(viewer) = request.extensions().get::<Self>() {
            return Either::Left(ready(Ok(viewer.clone())));
        }
        // Outside of the API no middleware has asked.
        let request = request.clone();
        Either::Right(Box::pin(async move { resolve(&request).await }))
    }
}

impl FromRequest for Account {
    type Error = Error;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let viewer = Viewer::from_request(request, payload);
        Box::pin(async move {
            match viewer.await? {
                Viewer::User { id, role, session } => Ok(Self { id, role, session }),
                Viewer::Anonymous => Err(Error::new(Code::Unauthenticated)),
                Viewer::Key { .. } => Err(Error::new(Code::Forbidden)),
            }
        })
    }
}

macro_rules! rule {
    ($extractor:ident, $viewer:ident => $allowed:expr) => {
        impl FromRequest for $extractor {
            type Error = Error;
            type Future = Extracted<Self>;

            fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
                let viewer = Viewer::from_request(request, payload);
                Box::pin(async move {
                    let $viewer = viewer.await?;
                    $viewer.require($allowed)?;
                    Ok(Self($viewer))
                })
            }
        }
    };
}

rule!(SignedIn, viewer => viewer != Viewer::Anonymous);
rule!(Contributor, viewer => viewer.may_publish() || matches!(viewer, Viewer::User { .. }));
rule!(Editor, viewer => viewer.may_publish());
rule!(Admin, viewer => matches!(viewer, Viewer::User { role: Role::Admin, .. }));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_noted_once_a_minute() {
        let at = |seconds: i64| Timestamp::from_micros(1_800_000_000_000_000 + seconds * 1_000_000).unwrap();
        let uses = KeyUses::default();
        assert!(uses.is_due(1, None, at(0)));
        assert!(!uses.is_due(1, None, at(59)), "while the first write is under way");
        assert!(uses.is_due(2, None, at(59)));
        assert!(uses.is_due(1, Some(at(0)), at(60)));
        assert!(!uses.is_due(3, Some(at(30)), at(60)), "another instance wrote");
    }
}
