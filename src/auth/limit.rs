//! How often signing in may be tried.
//!
//! From one address ten times at once and ten more each minute; for one account, from wherever, [`PER_ACCOUNT`]. The
//! second bounds guessing from many addresses. It is wider than the first on purpose: one attacker who is held to ten
//! can never use up what the owner needs, and when many do, it refills every two seconds, so that nobody is locked out
//! for good. Both count tries, right and wrong, before any password is looked at: whether there is such an account,
//! they do not tell.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::web::client::Limiter;

/// Tries a minute from one address.
const PER_ADDRESS: u32 = 10;

/// Tries a minute for one account.
const PER_ACCOUNT: u32 = 30;

pub(super) struct SignInLimits {
    addresses: Limiter,
    accounts: Option<DefaultKeyedRateLimiter<u64>>,
    hasher: RandomState,
}

impl SignInLimits {
    pub(super) fn new(config: &Config) -> Self {
        let quota = NonZeroU32::new(PER_ACCOUNT).map(Quota::per_minute);
        Self {
            addresses: Limiter::per_minute(config, PER_ADDRESS),
            accounts: quota.filter(|_| config.rate_limit).map(RateLimiter::keyed),
            hasher: RandomState::new(),
        }
    }

    /// Counts one try to sign in; 429 with `Retry-After` if there were too many.
    pub(super) fn check(&self, address: Option<IpAddr>, account: &str) -> Result<()> {
        self.addresses.check(address)?;
        self.check_account(account)
    }

    /// Counts one try at an account whose caller is known already.
    pub(super) fn check_account(&self, account: &str) -> Result<()> {
        let Some(limiter) = &self.accounts else {
            return Ok(());
        };
        // A number each, however long the names are that somebody tries.
        let outcome = limiter.check_key(&self.hasher.hash_one(account));
        if limiter.len() > 10_000 {
            limiter.retain_recent();
        }
        outcome.map_err(|wait| {
            let seconds = wait.wait_time_from(DefaultClock::default().now()).as_secs() + 1;
            Error {
                retry_after: Some(u32::try_from(seconds).unwrap_or(60)),
                ..Error::new(Code::RateLimited)
            }
        })
    }
}
