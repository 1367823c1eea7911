//! Settings: what the environment and the command line say, checked once, before anything starts.
//!
//! [`Settings`] is the raw form (each has an environment variable and a flag, and holds for every command);
//! [`Config`] is the checked form that the rest of the program sees. A wrong value stops the start with one line.

mod media;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use chrono_tz::Tz;
use clap::Args;

pub use self::media::{Bucket, Media};

/// The settings as they are written.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Settings")]
pub struct Settings {
    /// `sqlite://PATH` or `postgres://USER@HOST/NAME`; SQLite in the data folder if absent.
    #[arg(
        long,
        env = "DATABASE_URL",
        global = true,
        hide_env_values = true,
        value_name = "URL"
    )]
    pub database_url: Option<String>,
    /// Folder of the database, the media and the signing key.
    #[arg(
        long,
        env = "BROADSHEET_DATA_DIR",
        global = true,
        default_value = "./data",
        value_name = "DIR"
    )]
    pub data_dir: PathBuf,
    /// Address and port to listen on.
    #[arg(
        long,
        env = "BROADSHEET_BIND",
        global = true,
        default_value = "127.0.0.1:8080",
        value_name = "ADDRESS"
    )]
    pub bind: String,
    /// Origin that absolute links begin with; `http://localhost:PORT` if absent.
    #[arg(long, env = "BROADSHEET_PUBLIC_URL", global = true, value_name = "URL")]
    pub public_url: Option<String>,
    /// E-mail of the first admin, made while there is no user.
    #[arg(long, env = "BROADSHEET_ADMIN_EMAIL", global = true, value_name = "EMAIL")]
    pub admin_email: Option<String>,
    /// Password of the first admin.
    #[arg(
        long,
        env = "BROADSHEET_ADMIN_PASSWORD",
        global = true,
        hide_env_values = true,
        value_name = "PASSWORD"
    )]
    pub admin_password: Option<String>,
    /// PEM file with the Ed25519 private key that signs access tokens; made in the data folder if absent.
    #[arg(long, env = "BROADSHEET_SIGNING_KEY", global = true, value_name = "FILE")]
    pub signing_key: Option<PathBuf>,
    /// Time zone of bare dates, day series and imports.
    #[arg(
        long,
        env = "BROADSHEET_TIME_ZONE",
        global = true,
        default_value = "Asia/Shanghai",
        value_name = "ZONE"
    )]
    pub time_zone: String,
    /// Time in which one visitor counts once; `0` counts every view.
    #[arg(
        long,
        env = "BROADSHEET_VIEW_WINDOW",
        global = true,
        default_value = "30m",
        value_name = "DURATION"
    )]
    pub view_window: String,
    /// Memory for cached responses; `0` for none.
    #[arg(
        long,
        env = "BROADSHEET_CACHE_BYTES",
        global = true,
        default_value = "64MiB",
        value_name = "SIZE"
    )]
    pub cache_bytes: String,
    /// `on`, or `off` for measuring.
    #[arg(
        long,
        env = "BROADSHEET_RATE_LIMIT",
        global = true,
        default_value = "on",
        value_name = "ON|OFF"
    )]
    pub rate_limit: String,
    /// Origins that browsers may call from, separated by commas, or `*`.
    #[arg(
        long,
        env = "BROADSHEET_CORS_ORIGINS",
        global = true,
        default_value = "*",
        value_name = "ORIGINS"
    )]
    pub cors_origins: String,
    /// Addresses or networks whose `X-Forwarded-For` is believed, separated by commas.
    #[arg(
        long,
        env = "BROADSHEET_TRUSTED_PROXIES",
        global = true,
        default_value = "",
        value_name = "NETWORKS"
    )]
    pub trusted_proxies: String,
    /// Where files lie: `s3://BUCKET/PREFIX`, with `AWS_ENDPOINT_URL`, `AWS_REGION`, `AWS_ACCESS_KEY_ID` and
    /// `AWS_SECRET_ACCESS_KEY` from the environment; the data folder if absent.
    #[arg(long, env = "BROADSHEET_MEDIA_URL", global = true, value_name = "URL")]
    pub media_url: Option<String>,
    /// How files of a bucket reach readers: `stream` through this server, or `redirect` to the bucket.
    #[arg(
        long,
        env = "BROADSHEET_MEDIA_DELIVERY",
        global = true,
        default_value = "stream",
        value_name = "HOW"
    )]
    pub media_delivery: String,
    /// Time between not being ready any more and the end of listening, for load balancers.
    #[arg(
        long,
        env = "BROADSHEET_DRAIN",
        global = true,
        default_value = "0s",
        value_name = "DURATION"
    )]
    pub drain: String,
    /// `text`, or `json` for one object a line.
    #[arg(
        long,
        env = "BROADSHEET_LOG",
        global = true,
        default_value = "text",
        value_name = "FORMAT"
    )]
    pub log: String,
}

/// Which database holds the rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL connection string.
    Postgres(String),
}

/// From which origins browsers may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CorsOrigins {
    /// From all.
    Any,
    /// From these.
    Listed(Vec<String>),
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// An address range, such as `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: u128,
    prefix: u32,
}

/// The settings, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the rows are.
    pub database: Database,
    /// Where database, media and signing key lie.
    pub data_dir: PathBuf,
    /// Where to listen; port 0 takes a free one.
    pub bind: SocketAddr,
    /// Origin of absolute links, without a slash at its end; none = `http://localhost:PORT`.
    pub public_url: Option<String>,
    /// E-mail and password of the first admin.
    pub admin: Option<(String, String)>,
    /// The private key's file, if not in the data folder.
    pub signing_key: Option<PathBuf>,
    /// The zone of bare dates, until the site names another.
    pub time_zone: Tz,
    /// One visitor counts once in it; zero counts every view.
    pub view_window: Duration,
    /// Budget of the response cache in bytes.
    pub cache_bytes: u64,
    /// Whether requests are limited.
    pub rate_limit: bool,
    /// Who may call from a browser.
    pub cors_origins: CorsOrigins,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Where the files lie.
    pub media: Media,
    /// Pause before listening ends.
    pub drain: Duration,
    /// How the log looks.
    pub log: LogFormat,
}

impl Settings {
    /// Checks every setting; the error is one line that names the wrong one.
    pub fn check(self) -> Result<Config, String> {
        let bind: SocketAddr = self
            .bind
            .replace("localhost:", "127.0.0.1:")
            .parse()
            .map_err(|error| format!("BROADSHEET_BIND {:?}: {error}; it wants ADDRESS:PORT", self.bind))?;
        let public_url = self.public_url.as_deref().map(check_origin).transpose()?;
        let admin = match (self.admin_email, self.admin_password) {
            (Some(email), Some(password)) => Some((email, password)),
            (None, None) => None,
            _ => return Err("BROADSHEET_ADMIN_EMAIL and BROADSHEET_ADMIN_PASSWORD go together; one is missing".into()),
        };
        Ok(Config {
            database: database(self.database_url.as_deref(), &self.data_dir)?,
            data_dir: self.data_dir,
            bind,
            public_url,
            admin,
            signing_key: self.signing_key,
            time_zone: self.time_zone.parse().map_err(|_error| {
                format!(
                    "BROADSHEET_TIME_ZONE {:?} is no time zone; it wants a name such as Asia/Shanghai",
                    self.time_zone
                )
            })?,
            view_window: view_window(&self.view_window)?,
            cache_bytes: size("BROADSHEET_CACHE_BYTES", &self.cache_bytes)?,
            rate_limit: match self.rate_limit.as_str() {
                "on" => true,
                "off" => false,
                other => return Err(format!("BROADSHEET_RATE_LIMIT {other:?}: it wants on or off")),
            },
            cors_origins: match self.cors_origins.trim() {
                "*" => CorsOrigins::Any,
                list => CorsOrigins::Listed(list.split(',').map(check_cors_origin).collect::<Result<_, _>>()?),
            },
            trusted_proxies: self
                .trusted_proxies
                .split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(Network::parse)
                .collect::<Result<_, _>>()?,
            media: media::read(self.media_url.as_deref(), &self.media_delivery)?,
            drain: duration("BROADSHEET_DRAIN", &self.drain)?,
            log: match self.log.as_str() {
                "text" => LogFormat::Text,
                "json" => LogFormat::Json,
                other => return Err(format!("BROADSHEET_LOG {other:?}: it wants text or json")),
            },
        })
    }
}

/// Visitors without a name are known for a day.
fn view_window(text: &str) -> Result<Duration, String> {
    let window = duration("BROADSHEET_VIEW_WINDOW", text)?;
    if window > Duration::from_secs(24 * 3600) {
        return Err(format!("BROADSHEET_VIEW_WINDOW {text:?}: it can be 24h at most"));
    }
    Ok(window)
}

/// A scheme that is not known is refused: taking it for a file name would start an empty site.
fn database(url: Option<&str>, data_dir: &std::path::Path) -> Result<Database, String> {
    let Some(url) = url.filter(|url| !url.is_empty()) else {
        return Ok(Database::Sqlite(data_dir.join("broadsheet.db")));
    };
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(Database::Postgres(url.to_owned()));
    }
    match url.strip_prefix("sqlite://") {
        Some(path) if !path.is_empty() => Ok(Database::Sqlite(PathBuf::from(path))),
        _ => {
            let scheme = url.split_once(':').map_or("none", |(scheme, _)| scheme);
            Err(format!(
                "DATABASE_URL has the scheme {scheme:?}; it wants sqlite://PATH or postgres://…"
            ))
        }
    }
}

fn check_origin(url: &str) -> Result<String, String> {
    let wrong =
        || format!("BROADSHEET_PUBLIC_URL {url:?}: it wants http://HOST or https://HOST, with a port if need be");
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
        .ok_or_else(wrong)?;
    let host = rest.trim_end_matches('/');
    if host.is_empty() || host.contains(['/', '?', '#', '@', ' ', '"', '<', '>']) {
        return Err(wrong());
    }
    Ok(url.trim_end_matches('/').to_owned())
}

fn check_cors_origin(origin: &str) -> Result<String, String> {
    let origin = origin.trim();
    check_origin(origin)
        .map(|origin| origin.to_ascii_lowercase())
        .map_err(|_error| {
            format!("BROADSHEET_CORS_ORIGINS {origin:?}: it wants * or origins such as https://example.com")
        })
}

fn duration(name: &str, text: &str) -> Result<Duration, String> {
    let wrong = || format!("{name} {text:?}: it wants a whole number and ms, s, m, h or d, such as 30m");
    let text_trimmed = text.trim();
    let digits = text_trimmed.len() - text_trimmed.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text_trimmed.split_at_checked(digits).ok_or_else(wrong)?;
    let number: u64 = number.parse().map_err(|_error| wrong())?;
    let milliseconds = match unit {
        "" if number == 0 => Some(0),
        "ms" => Some(number),
        "s" => number.checked_mul(1_000),
        "m" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        "d" => number.checked_mul(86_400_000),
        _ => None,
    };
    milliseconds.map(Duration::from_millis).ok_or_else(wrong)
}

fn size(name: &str, text: &str) -> Result<u64, String> {
    let wrong = || format!("{name} {text:?}: it wants a whole number and KiB, MiB or GiB, such as 64MiB");
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at_checked(digits).ok_or_else(wrong)?;
    let number: u64 = number.parse().map_err(|_error| wrong())?;
    let factor = match unit.trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(wrong()),
    };
    number.checked_mul(factor).ok_or_else(wrong)
}

impl Network {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("BROADSHEET_TRUSTED_PROXIES {text:?}: it wants addresses or networks such as 10.0.0.0/8");
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u32>().map_err(|_error| wrong())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_error| wrong())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(width);
        if prefix > width {
            return Err(wrong());
        }
        Ok(Self {
            address: as_bits(address),
            prefix: prefix + 128 - width,
        })
    }

    /// Whether the address lies in the network; IPv4 in IPv6 form counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let shift = 128 - self.prefix;
        let mask = u128::MAX.checked_shl(shift).unwrap_or(0);
        (as_bits(address) ^ self.address) & mask == 0
    }
}

/// IPv4 stands among the IPv6 addresses as `::ffff:a.b.c.d`.
fn as_bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        settings: Settings,
    }

    fn check(flags: &[&str]) -> Result<Config, String> {
        Cli::parse_from(std::iter::once("broadsheet").chain(flags.iter().copied()))
            .settings
            .check()
    }

    #[test]
    fn an_unknown_scheme_is_refused_without_showing_the_address() {
        let error = check(&["--database-url", "mysql://root:secret@db/x"]).unwrap_err();
        assert!(error.contains("mysql") && !error.contains("secret"), "{error}");
        assert!(check(&["--database-url", "broadsheet.db"]).is_err());
    }

    #[test]
    fn each_wrong_value_names_its_setting() {
        for (flag, value, name) in [
            ("--bind", "8080", "BROADSHEET_BIND"),
            ("--public-url", "ftp://x", "BROADSHEET_PUBLIC_URL"),
            ("--public-url", "https://x/path", "BROADSHEET_PUBLIC_URL"),
            ("--time-zone", "Mars", "BROADSHEET_TIME_ZONE"),
            ("--view-window", "30", "BROADSHEET_VIEW_WINDOW"),
            ("--cache-bytes", "1TB", "BROADSHEET_CACHE_BYTES"),
            ("--rate-limit", "maybe", "BROADSHEET_RATE_LIMIT"),
            ("--cors-origins", "example.com", "BROADSHEET_CORS_ORIGINS"),
            ("--trusted-proxies", "10.0.0.0/33", "BROADSHEET_TRUSTED_PROXIES"),
            ("--drain", "soon", "BROADSHEET_DRAIN"),
            ("--log", "xml", "BROADSHEET_LOG"),
            ("--media-url", "gs://bucket", "BROADSHEET_MEDIA_URL"),
            ("--media-url", "s3:///prefix", "BROADSHEET_MEDIA_URL"),
            ("--media-url", "s3://bucket/a/../b", "BROADSHEET_MEDIA_URL"),
            ("--media-delivery", "carry", "BROADSHEET_MEDIA_DELIVERY"),
            ("--admin-email", "a@example.com", "BROADSHEET_ADMIN_EMAIL"),
        ] {
            let error = check(&[flag, value]).unwrap_err();
            assert!(error.contains(name), "{flag} {value}: {error}");
        }
    }

    #[test]
    fn durations_and_sizes_have_units() {
        let config = check(&["--view-window", "90s", "--cache-bytes", "1GiB", "--drain", "0"]).unwrap();
        assert_eq!(
            (config.view_window.as_secs(), config.cache_bytes, config.drain.as_secs()),
            (90, 1 << 30, 0)
        );
    }

    #[test]
    fn networks_hold_their_addresses_in_either_form() {
        let network = Network::parse("10.0.0.0/8").unwrap();
        assert!(network.contains("10.255.0.1".parse().unwrap()));
        assert!(network.contains("::ffff:10.1.2.3".parse().unwrap()));
        assert!(!network.contains("11.0.0.1".parse().unwrap()));
        assert!(Network::parse("::/0").unwrap().contains("2001:db8::1".parse().unwrap()));
    }
}
