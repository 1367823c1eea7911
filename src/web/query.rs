//! Query strings: typed, complete, strict.
//!
//! `actix_web::web::Query` reads no repeated keys and reports one error at most; this reads lists by comma or by
//! repeating, and names every unknown parameter and every wrong value at once.

use std::collections::BTreeSet;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use chrono::{Datelike, NaiveDate};
use percent_encoding::percent_decode_str;

use crate::db::Timestamp;
use crate::error::{Code, Error, FieldError, Result};

/// Largest id that JavaScript holds exactly, and so the largest that there is.
pub const MAX_ID: i64 = (1 << 53) - 1;

/// A typed query: what the query string says, or 400 with all that is wrong in it.
pub struct Query<T>(pub T);

/// Reads a type from the parameters. What is wrong is noted in `Pairs`; the value is then thrown away.
pub trait FromPairs: Sized {
    /// Takes each parameter that it knows.
    fn from_pairs(pairs: &mut Pairs) -> Self;
}

/// For endpoints without parameters: any is unknown.
pub struct NoQuery;

impl FromPairs for NoQuery {
    fn from_pairs(_pairs: &mut Pairs) -> Self {
        Self
    }
}

impl<T: FromPairs> FromRequest for Query<T> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(read(request.query_string()).map(Query))
    }
}

impl FromRequest for NoQuery {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(read(request.query_string()))
    }
}

/// Reads a query string into `T`, or says everything that is wrong with it.
pub fn read<T: FromPairs>(query: &str) -> Result<T> {
    let mut pairs = Pairs::parse(query)?;
    let value = T::from_pairs(&mut pairs);
    pairs.finish().map(|()| value)
}

/// A bound of a time filter: a moment, or a date that begins at midnight in the site's zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeBound {
    /// A moment.
    At(Timestamp),
    /// Midnight at the beginning of that day.
    Day(NaiveDate),
}

impl TimeBound {
    /// The moment, given the site's zone. A midnight that a clock change skips is the first moment after it.
    pub fn resolve(self, zone: chrono_tz::Tz) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::Day(day) => {
                let mut local = day.and_time(chrono::NaiveTime::MIN);
                // No zone skips more than a day.
                for _ in 0..48 {
                    if let Some(time) = local.and_local_timezone(zone).earliest() {
                        return time.to_utc().into();
                    }
                    local += chrono::TimeDelta::minutes(30);
                }
                local.and_utc().into()
            }
        }
    }
}

/// The parameters of one request, as they are taken.
pub struct Pairs {
    pairs: Vec<(String, String)>,
    known: BTreeSet<&'static str>,
    errors: Vec<FieldError>,
}

impl Pairs {
    /// Splits and decodes a query string. Bytes that are no UTF-8 and control characters are 400.
    pub fn parse(query: &str) -> Result<Self> {
        let mut pairs = Vec::new();
        let mut errors = Vec::new();
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            match (decode(name), decode(value)) {
                (Some(name), Some(value)) => pairs.push((name, value)),
                (name, _) => errors.push(FieldError::parameter(
                    name.unwrap_or_default(),
                    Code::InvalidParameter.name(),
                    "not UTF-8, or with control characters",
                )),
            }
        }
        Error::check_parameters(errors)?;
        Ok(Self {
            pairs,
            known: BTreeSet::new(),
            errors: Vec::new(),
        })
    }

    /// Notes that a parameter has a wrong value.
    pub fn wrong(&mut self, name: &'static str, message: impl Into<String>) {
        self.errors
            .push(FieldError::parameter(name, Code::InvalidParameter.name(), message));
    }

    /// A parameter that stands once at most.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        self.known.insert(name);
        let mut values = self
            .pairs
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.clone());
        let first = values.next();
        if values.next().is_some() {
            self.wrong(name, "given more than once");
        }
        first
    }

    /// A parameter read by `read`; `wanted` says what it should be.
    pub fn parsed<T>(&mut self, name: &'static str, wanted: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let text = self.text(name)?;
        let value = read(&text);
        if value.is_none() {
            self.wrong(name, format!("{wanted} is wanted"));
        }
        value
    }

    /// A whole number within bounds.
    pub fn number(&mut self, name: &'static str, bounds: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let wanted = format!("a whole number from {} to {}", bounds.start(), bounds.end());
        self.parsed(name, &wanted, |text| {
            whole(text).filter(|number| bounds.contains(number))
        })
    }

    /// `true` or `false`.
    pub fn flag(&mut self, name: &'static str) -> Option<bool> {
        self.parsed(name, "true or false", |text| match text {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        })
    }

    /// A moment or a bare date.
    pub fn time(&mut self, name: &'static str) -> Option<TimeBound> {
        self.parsed(
            name,
            "a time with an offset (RFC 3339) or a date (2026-01-13)",
            |text| {
                let day = || date(text);
                Timestamp::parse(text)
                    .map(TimeBound::At)
                    .or_else(|| day().map(TimeBound::Day))
            },
        )
    }

    /// A list, by comma or by repeating; `None` where the parameter is absent. Empty entries are wrong.
    pub fn list(&mut self, name: &'static str, most: usize) -> Option<Vec<String>> {
        self.known.insert(name);
        let mut found = false;
        let mut values: Vec<String> = Vec::new();
        let mut empty = false;
        for (_, value) in self.pairs.iter().filter(|(key, _)| key == name) {
            found = true;
            for entry in value.split(',') {
                empty |= entry.is_empty();
                if !values.iter().any(|value| value == entry) {
                    values.push(entry.to_owned());
                }
            }
        }
        if empty {
            self.wrong(name, "an entry of the list is empty");
        }
        if values.len() > most {
            self.wrong(name, format!("at most {most} entries"));
        }
        found.then_some(values)
    }

    /// A list of which each entry must be one of `known`.
    pub fn choices(&mut self, name: &'static str, known: &[&'static str]) -> Vec<&'static str> {
        let mut chosen = Vec::new();
        for value in self.list(name, known.len()).unwrap_or_default() {
            match known.iter().find(|known| **known == value) {
                Some(choice) => chosen.push(*choice),
                None => self.wrong(name, format!("{value:?} is unknown; known are {}", known.join(", "))),
            }
        }
        chosen
    }

    /// One of the known values.
    pub fn choice<T: Copy>(&mut self, name: &'static str, known: &[(&'static str, T)]) -> Option<T> {
        let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
        self.parsed(name, &format!("one of {}", names.join(", ")), |text| {
            known.iter().find(|(name, _)| *name == text).map(|(_, value)| *value)
        })
    }

    /// A list of ids.
    pub fn ids(&mut self, name: &'static str, most: usize) -> Option<Vec<i64>> {
        let values = self.list(name, most)?;
        let ids: Option<Vec<i64>> = values
            .iter()
            .map(|text| whole(text).filter(|id| (1..=MAX_ID).contains(id)))
            .collect();
        if ids.is_none() {
            self.wrong(name, "ids are whole numbers from 1 to 9007199254740991");
        }
        ids
    }

    /// 400 if a parameter was unknown or wrong.
    pub fn finish(mut self) -> Result<()> {
        for (name, _) in &self.pairs {
            if !self.known.contains(name.as_str())
                && !self.errors.iter().any(|error| error.parameter.as_deref() == Some(name))
            {
                let error = FieldError::parameter(name.as_str(), Code::UnknownParameter.name(), "no such parameter");
                self.errors.push(error);
            }
        }
        Error::check_parameters(self.errors)
    }
}

/// A date of the form `2026-01-13`, far enough from the ends of what the databases keep for every zone.
pub fn date(text: &str) -> Option<NaiveDate> {
    let form = text.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    let day = (form && text.len() == 10)
        .then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())
        .flatten()?;
    (2..=9998).contains(&day.year()).then_some(day)
}

/// Digits alone: no sign, no space, no fraction, no zero in front; each number has one form.
pub fn whole(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.len() <= 19 && text.bytes().all(|b| b.is_ascii_digit());
    let digits = digits && (text == "0" || !text.starts_with('0'));
    if digits { text.parse().ok() } else { None }
}

fn decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    let text = percent_decode_str(&spaced).decode_utf8().ok()?.into_owned();
    (!text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r'))).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Sample {
        limit: Option<i64>,
        tags: Option<Vec<String>>,
    }

    impl FromPairs for Sample {
        fn from_pairs(pairs: &mut Pairs) -> Self {
            Self {
                limit: pairs.number("limit", 1..=100),
                tags: pairs.list("tag", 3),
            }
        }
    }

    #[test]
    fn lists_come_by_comma_and_by_repeating() {
        let sample: Sample = read("tag=a,b&tag=%E5%B0%8F%E7%B1%B3&limit=7").unwrap();
        assert_eq!(sample.tags.unwrap(), ["a", "b", "小米"]);
        assert_eq!(sample.limit, Some(7));
    }

    #[test]
    fn everything_wrong_is_named_at_once() {
        let error = read::<Sample>("limit=0&bogus=1&other=2&tag=a,,b").unwrap_err();
        assert_eq!(error.code, Code::UnknownParameter);
        let mut names: Vec<_> = error
            .errors
            .iter()
            .filter_map(|error| error.parameter.clone())
            .collect();
        names.sort();
        assert_eq!(names, ["bogus", "limit", "other", "tag"]);
    }

    #[test]
    fn numbers_are_digits_alone() {
        for wrong in ["+1", "-1", "1.0", "1e3", " 1", "", "9223372036854775808", "101", "１"] {
            assert!(
                read::<Sample>(&format!("limit={}", wrong.replace('+', "%2B"))).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        for wrong in ["tag=%FF", "tag=%00", "tag=a%1Fb", "%ED%A0%80=1"] {
            assert!(read::<Sample>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn dates_have_one_form() {
        assert!(date("2026-01-13").is_some());
        for wrong in [
            "2026-1-130",
            "-99999-1-1",
            "+99999-1-1",
            "2026-13-01",
            "9999-12-31",
            "0001-01-01",
            "2026/01/13",
        ] {
            assert!(date(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_date_is_midnight_in_the_zone() {
        let day = TimeBound::Day(NaiveDate::from_ymd_opt(2026, 1, 13).unwrap());
        assert_eq!(
            day.resolve(chrono_tz::Asia::Shanghai).to_rfc3339(),
            "2026-01-12T16:00:00Z"
        );
        let skipped = TimeBound::Day(NaiveDate::from_ymd_opt(2018, 11, 4).unwrap());
        assert_eq!(
            skipped.resolve(chrono_tz::America::Sao_Paulo).to_rfc3339(),
            "2018-11-04T03:00:00Z"
        );
    }
}
