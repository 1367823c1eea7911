//! Who is calling: the address behind trusted proxies, and limits per address.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;

use actix_web::HttpRequest;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::config::{Config, Network};
use crate::error::{Code, Error, Result};

/// The caller's address: of the connection, or, if that is a trusted proxy, the rightmost address in
/// `X-Forwarded-For` that is none. What callers write there themselves stands further left and is not believed.
pub fn address(request: &HttpRequest, trusted: &[Network]) -> Option<IpAddr> {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(*address));
    let mut address = request.peer_addr()?.ip();
    if !is_trusted(&address) {
        return Some(address);
    }
    let lines: Vec<&str> = request
        .headers()
        .get_all("x-forwarded-for")
        .filter_map(|value| value.to_str().ok())
        .collect();
    for part in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        match part.trim().parse() {
            Ok(next) => address = next,
            Err(_) => break,
        }
        if !is_trusted(&address) {
            break;
        }
    }
    Some(address)
}

/// Limits how often something may be tried from one address. An IPv6 caller has a /64 to itself, so that counts as one.
pub struct Limiter(Option<DefaultKeyedRateLimiter<IpAddr>>);

impl Limiter {
    /// So many at once, and that many again each minute; none where limits are off.
    pub fn per_minute(config: &Config, times: u32) -> Self {
        let quota = NonZeroU32::new(times).map(Quota::per_minute);
        Self(quota.filter(|_| config.rate_limit).map(RateLimiter::keyed))
    }

    /// Counts one try; 429 with `Retry-After` if there were too many.
    pub fn check(&self, address: Option<IpAddr>) -> Result<()> {
        let (Some(limiter), Some(address)) = (&self.0, address) else {
            return Ok(());
        };
        let outcome = limiter.check_key(&network_of(address));
        if limiter.len() > 10_000 {
            limiter.retain_recent();
        }
        outcome.map_err(|wait| {
            let seconds = wait.wait_time_from(DefaultClock::default().now()).as_secs();
            Error {
                retry_after: Some(u32::try_from(seconds).unwrap_or(60).max(1)),
                ..Error::new(Code::RateLimited)
            }
        })
    }
}

/// The network that counts as one caller: of IPv6 the /64, else the address.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => six
            .to_ipv4_mapped()
            .map_or_else(|| Ipv6Addr::from_bits(six.to_bits() >> 64 << 64).into(), IpAddr::V4),
    }
}
