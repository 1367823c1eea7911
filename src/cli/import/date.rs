//! Dates as front matter has them.

use chrono::{FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;

use crate::db::Timestamp;

/// Reads `2013-12-24`, `2018-7-24 23:31:06`, `2026/01/13 12:31`, RFC 3339, and the timestamps of YAML 1.1 and TOML. Where
/// no offset stands, the time is the zone's: an hour that a zone leaves out is the one after it, one that comes twice
/// is the first.
pub fn read_date(text: &str, zone: Tz) -> Option<Timestamp> {
    let text = text.trim();
    let end = text.find(['T', 't', ' ']).unwrap_or(text.len());
    let (day, rest) = text.split_at_checked(end)?;
    let day = read_day(day)?;
    let rest = rest.strip_prefix(['T', 't']).unwrap_or(rest).trim();
    if rest.is_empty() {
        return in_zone(day.and_time(NaiveTime::MIN), zone);
    }
    let end = rest
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, ':' | '.')))
        .unwrap_or(rest.len());
    let (time, offset) = rest.split_at_checked(end)?;
    let at = day.and_time(read_time(time)?);
    match offset.trim() {
        "" => in_zone(at, zone),
        offset => stored(&at.and_local_timezone(read_offset(offset)?).single()?),
    }
}

fn read_day(text: &str) -> Option<NaiveDate> {
    let mut parts = text.split(['-', '/']);
    let year = parts.next().filter(|year| year.len() == 4)?;
    let (month, day) = (parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    NaiveDate::from_ymd_opt(i32::try_from(digits(year)?).ok()?, digits(month)?, digits(day)?)
}

fn read_time(text: &str) -> Option<NaiveTime> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = clock.split(':');
    let (hour, minute) = (digits(parts.next()?)?, digits(parts.next()?)?);
    let second = parts.next().map_or(Some(0), digits)?;
    if parts.next().is_some() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let micros: String = fraction.chars().chain("000000".chars()).take(6).collect();
    NaiveTime::from_hms_micro_opt(hour, minute, second, micros.parse().ok()?)
}

/// `Z`, `UTC`, `+8`, `+08`, `+0800`, `+08:00`.
fn read_offset(text: &str) -> Option<FixedOffset> {
    if text.eq_ignore_ascii_case("z") || text.eq_ignore_ascii_case("utc") {
        return FixedOffset::east_opt(0);
    }
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+')?),
    };
    let (hours, minutes) = match rest.split_once(':') {
        Some(parts) => parts,
        None if rest.len() <= 2 => (rest, "0"),
        None => rest.split_at_checked(rest.len() - 2)?,
    };
    let (hours, minutes) = (digits(hours)?, digits(minutes)?);
    if minutes > 59 {
        return None;
    }
    FixedOffset::east_opt(sign * i32::try_from(hours.checked_mul(60)?.checked_add(minutes)?.checked_mul(60)?).ok()?)
}

/// Up to four digits and nothing else.
fn digits(text: &str) -> Option<u32> {
    ((1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

fn in_zone(at: NaiveDateTime, zone: Tz) -> Option<Timestamp> {
    let found = zone.from_local_datetime(&at).earliest();
    stored(&found.or_else(|| zone.from_local_datetime(&(at + TimeDelta::hours(1))).earliest())?)
}

/// Only the years that the databases keep.
fn stored(time: &chrono::DateTime<impl TimeZone>) -> Option<Timestamp> {
    Timestamp::from_micros(time.timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shanghai(text: &str) -> Option<String> {
        read_date(text, chrono_tz::Asia::Shanghai).map(Timestamp::to_rfc3339)
    }

    #[test]
    fn every_form_is_read() {
        for (text, wanted) in [
            ("2013-12-24 23:30:09", "2013-12-24T15:30:09Z"),
            ("2018-7-24 23:31:06", "2018-07-24T15:31:06Z"),
            ("2026/01/13 12:31", "2026-01-13T04:31:00Z"),
            ("2026-01-13", "2026-01-12T16:00:00Z"),
            ("2026-01-13T12:31:54", "2026-01-13T04:31:54Z"),
            ("2026-01-13T12:31:54+08:00", "2026-01-13T04:31:54Z"),
            ("2026-01-13t12:31:54z", "2026-01-13T12:31:54Z"),
            ("2001-12-14 21:59:43.10 -5", "2001-12-15T02:59:43Z"),
            ("2001-12-14 21:59:43.123456789 +0530", "2001-12-14T16:29:43Z"),
            ("2026-01-13 12:31:54 UTC", "2026-01-13T12:31:54Z"),
        ] {
            assert_eq!(shanghai(text).as_deref(), Some(wanted), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "soon",
            "2026",
            "2026-13-01",
            "2026-02-30",
            "26-01-01",
            "2026-01-13 25:00",
            "2026-01-13 1",
            "2026-01-13 12:31 PST",
            "2026-01-13T12:31:54+99:99",
            "2026-01-13-14",
            "海啸",
            "2026-01-13 海啸",
            "0000-01-01",
            "2026-01-13 12:31:54 -",
            "2026-01-13 12:31:5x",
        ] {
            assert_eq!(shanghai(text), None, "{text}");
        }
    }

    #[test]
    fn hours_that_a_zone_leaves_out_or_repeats_are_found() {
        let berlin = |text| read_date(text, chrono_tz::Europe::Berlin).map(Timestamp::to_rfc3339);
        assert_eq!(berlin("2026-03-29 02:30").as_deref(), Some("2026-03-29T01:30:00Z"));
        assert_eq!(berlin("2026-10-25 02:30").as_deref(), Some("2026-10-25T00:30:00Z"));
    }
}
