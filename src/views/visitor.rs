//! Who views, as far as counting needs to know: nobody's address is kept.

use std::future::{Ready, ready};
use std::net::IpAddr;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{HeaderName, USER_AGENT};
use actix_web::{FromRequest, HttpRequest, web};
use sha2::{Digest, Sha256};

use super::crawler::is_crawler;
use crate::config::Config;
use crate::db::Timestamp;
use crate::error::{Code, Error, Result};
use crate::web::client;

/// The header by which an app names its visitor.
const VISITOR_ID: HeaderName = HeaderName::from_static("x-visitor-id");

/// Longest name of a visitor, in bytes.
const LONGEST: usize = 128;

/// A day, in microseconds.
const DAY: i64 = 86_400_000_000;

/// The day of the salt that visitors named by apps are hashed under. It never changes.
pub const NAMED_SALT: i32 = 0;

/// Who sends a request, as its headers and its connection tell.
pub struct Caller {
    /// As an app names its visitor.
    id: Option<String>,
    /// The address behind trusted proxies.
    address: Option<IpAddr>,
    agent: String,
}

impl Caller {
    /// Whether it says that it is a crawler, or a preview of links.
    pub fn is_crawler(&self) -> bool {
        is_crawler(&self.agent)
    }

    /// Reads who sends a request; 400 for a name that is none.
    pub fn read(request: &HttpRequest) -> Result<Self> {
        let wrong = || {
            let message = format!("one name of 1 to {LONGEST} visible ASCII characters is wanted");
            Error::at_parameter(Code::InvalidParameter, "X-Visitor-Id", message)
        };
        let mut names = request.headers().get_all(&VISITOR_ID);
        let id = match (names.next(), names.next()) {
            (None, _) => None,
            (Some(name), None) => {
                let is_visible =
                    |name: &&str| (1..=LONGEST).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic());
                let name = name.to_str().ok().filter(is_visible).ok_or_else(wrong)?;
                Some(name.to_owned())
            }
            (Some(_), Some(_)) => return Err(wrong()),
        };
        let trusted = request
            .app_data::<web::Data<Config>>()
            .map_or(&[][..], |config| &config.trusted_proxies);
        Ok(Self {
            id,
            address: client::address(request, trusted).map(client::network_of),
            agent: request
                .headers()
                .get(USER_AGENT)
                .map(|agent| String::from_utf8_lossy(agent.as_bytes()).into_owned())
                .unwrap_or_default(),
        })
    }
}

impl FromRequest for Caller {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(Self::read(request))
    }
}

/// A salt, and the day of UTC that it is for.
pub type Salt = (i32, String);

/// The salts that hold now: of today, of the day before as long as its views may keep others from counting, and the one
/// for names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Salts(pub Vec<Salt>);

impl Salts {
    /// The salt of that day.
    pub fn of(&self, day: i32) -> Option<&str> {
        let mut salts = self.0.iter();
        salts.find(|(of, _)| *of == day).map(|(_, salt)| salt.as_str())
    }
}

/// Under what a counted view is kept and looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Whether an app named the visitor.
    pub named: bool,
    /// Of names the day of the view, of others the day of the salt.
    pub day: i32,
    /// The hash of the visitor.
    pub visitor: [u8; 16],
}

/// A visitor, hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visitor {
    /// Named by an app.
    Named([u8; 16]),
    /// Known by address and user agent, for as long as a salt holds.
    Hashed {
        /// Under today's salt.
        today: Key,
        /// Under the salt of the day before, while that counts.
        before: Option<Key>,
    },
}

impl Visitor {
    /// The visitor behind a request at `now`; nothing if the salts for it are not there. In the first `window` of a day a
    /// visitor is known under the salt of the day before as well.
    pub fn of(caller: &Caller, salts: &Salts, now: Timestamp, window: Duration) -> Option<Self> {
        if let Some(id) = &caller.id {
            return Some(Self::Named(hash(salts.of(NAMED_SALT)?, &[id.as_bytes()])));
        }
        let address = caller.address.map(|address| address.to_string()).unwrap_or_default();
        let under = |day: i32| {
            Some(Key {
                named: false,
                day,
                visitor: hash(salts.of(day)?, &[address.as_bytes(), caller.agent.as_bytes()]),
            })
        };
        let today = day_of(now.micros());
        let since_midnight = now.micros().rem_euclid(DAY);
        Some(Self::Hashed {
            today: under(today)?,
            before: (since_midnight < micros(window)).then(|| under(today - 1)).flatten(),
        })
    }

    /// Under what a view at `at` (microseconds since 1970) is kept, and under what else one that is too near may be.
    pub fn keys(&self, at: i64, window: Duration) -> (Key, [Option<Key>; 2]) {
        match *self {
            Self::Hashed { today, before } => (today, [before, None]),
            Self::Named(visitor) => {
                let on = |day| Key {
                    named: true,
                    day,
                    visitor,
                };
                let day = day_of(at);
                let near = |at| Some(day_of(at)).filter(|near| *near != day).map(on);
                (on(day), [near(at - micros(window)), near(at + micros(window))])
            }
        }
    }
}

/// The day of UTC, counted from 1970-01-01.
pub fn day_of(micros: i64) -> i32 {
    i32::try_from(micros.div_euclid(DAY)).unwrap_or(i32::MAX)
}

/// In microseconds.
pub fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

/// The lengths stand in front, so that no two lists of parts look alike.
fn hash(salt: &str, parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in [salt.as_bytes()].iter().chain(parts) {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let mut out = [0; 16];
    for (out, byte) in out.iter_mut().zip(hash.finalize()) {
        *out = byte;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(1800);

    fn caller(id: Option<&str>, address: &str, agent: &str) -> Caller {
        Caller {
            id: id.map(str::to_owned),
            address: Some(address.parse().unwrap()),
            agent: agent.to_owned(),
        }
    }

    fn salts() -> Salts {
        Salts(vec![(0, "names".into()), (9, "nine".into()), (10, "ten".into())])
    }

    fn at(day: i64, seconds: i64) -> Timestamp {
        Timestamp::from_micros(day * DAY + seconds * 1_000_000).unwrap()
    }

    #[test]
    fn a_visitor_is_an_address_and_an_agent_for_a_day() {
        let of = |address, agent, now| Visitor::of(&caller(None, address, agent), &salts(), now, WINDOW).unwrap();
        let noon = at(10, 43_200);
        assert_eq!(of("1.2.3.4", "a", noon), of("1.2.3.4", "a", noon));
        assert_ne!(of("1.2.3.4", "a", noon), of("1.2.3.5", "a", noon));
        assert_ne!(of("1.2.3.4", "a", noon), of("1.2.3.4", "b", noon));
        assert_ne!(of("1.2.3.4", "a", noon), of("1.2.3.4", "a", at(9, 43_200)));
        let unknown = Visitor::of(&caller(None, "1.2.3.4", "a"), &salts(), at(11, 0), WINDOW);
        assert_eq!(unknown, None, "the salt of that day is not there");
    }

    #[test]
    fn after_midnight_the_day_before_still_holds_for_a_window() {
        let of = |now| Visitor::of(&caller(None, "1.2.3.4", "a"), &salts(), now, WINDOW).unwrap();
        let (evening, _) = of(at(9, 86_000)).keys(0, WINDOW);
        let (night, others) = of(at(10, 100)).keys(0, WINDOW);
        assert_ne!(evening, night);
        assert_eq!(others, [Some(evening), None]);
        assert_eq!(of(at(10, 1800)).keys(0, WINDOW).1, [None, None]);
    }

    #[test]
    fn a_name_is_looked_up_on_every_day_that_a_window_touches() {
        let visitor = Visitor::of(&caller(Some("app"), "1.2.3.4", "a"), &salts(), at(10, 0), WINDOW).unwrap();
        let other = Visitor::of(&caller(Some("app"), "9.9.9.9", "b"), &salts(), at(99, 0), WINDOW).unwrap();
        assert_eq!(visitor, other, "whatever the address, and whenever");
        let days = |at: Timestamp| {
            let (home, others) = visitor.keys(at.micros(), WINDOW);
            (home.day, others.map(|key| key.map(|key| key.day)))
        };
        assert_eq!(days(at(5, 43_200)), (5, [None, None]));
        assert_eq!(days(at(5, 60)), (5, [Some(4), None]));
        assert_eq!(days(at(5, 86_390)), (5, [None, Some(6)]));
    }
}
