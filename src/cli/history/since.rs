//! A time in the past, as people write it: a date, a moment, or how long ago.

use std::str::FromStr;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// A moment, or so long before now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    At(Timestamp),
    Ago(SignedDuration),
}

impl Since {
    pub(super) fn from(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(moment) => moment,
            // Longer ago than time goes back is from the beginning on.
            Self::Ago(ago) => now.checked_sub(ago).unwrap_or(Timestamp::MIN),
        }
    }
}

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let utc = |at: DateTime| TimeZone::UTC.to_timestamp(at).ok();
        let moment = || {
            let exact = text.parse::<Timestamp>().ok();
            // Without an offset it is UTC, as every time that is shown.
            exact.or_else(|| utc(text.parse::<DateTime>().ok()?))
        };
        ago(text)
            .map(Self::Ago)
            .or_else(|| moment().map(Self::At))
            .ok_or_else(|| {
                "a date (2026-05-01), a time (2026-05-01T08:00:00Z), or how long ago: a whole number with s, m, h, d or w (7d)".to_owned()
            })
    }
}

fn ago(text: &str) -> Option<SignedDuration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let seconds: i64 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        "w" => 7 * 24 * 3600,
        _ => return None,
    };
    let number: i64 = number.parse().ok()?;
    Some(SignedDuration::from_secs(number.checked_mul(seconds)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_times_and_how_long_ago() {
        let now: Timestamp = "2026-05-08T12:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("2026-05-01", "2026-05-01T00:00:00Z"),
            ("2026-05-01T08:00:00Z", "2026-05-01T08:00:00Z"),
            ("2026-05-01T08:00:00+08:00", "2026-05-01T00:00:00Z"),
            ("2026-05-01T08:00:00.5Z", "2026-05-01T08:00:00.5Z"),
            ("2026-05-01T08:00", "2026-05-01T08:00:00Z"),
            ("7d", "2026-05-01T12:00:00Z"),
            ("1w", "2026-05-01T12:00:00Z"),
            ("24h", "2026-05-07T12:00:00Z"),
            ("90m", "2026-05-08T10:30:00Z"),
            ("0s", "2026-05-08T12:00:00Z"),
        ] {
            let since: Since = text.parse().unwrap();
            assert_eq!(since.from(now).to_string(), expected, "{text}");
        }
        for text in ["", "d", "7", "-7d", "1.5h", "yesterday", "2026-13-01", "9999999999999999999d"] {
            assert!(text.parse::<Since>().is_err(), "{text}");
        }
        let long: Since = "9999999999w".parse().unwrap();
        assert_eq!(long.from(now), Timestamp::MIN);
    }
}
