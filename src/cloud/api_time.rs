//! The times in answers: `2018-08-13 10:52:09`, whole seconds, in an undocumented zone.
//!
//! They are therefore never turned into an instant. All that can be asked is whether one of the two readings that can be
//! meant, UTC and UTC+8, lies within an interval. A yes is weak evidence, a no is strong.

use std::ops::RangeInclusive;

use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use crate::i18n::{Text, text};

/// The offsets that a time without a zone may be meant in.
const OFFSETS: [Offset; 2] = [Offset::UTC, Offset::constant(8)];
/// A time in whole seconds stands for any instant within its second.
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// Whether a time of the API's can lie within an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// At least one reading lies within.
    Possible,
    /// No reading does.
    Impossible,
    /// It is not a time: empty, `0000-00-00 00:00:00`, or in an unknown form.
    NoTime,
}

/// Returns whether a time, as it was sent, can lie within `interval`, both ends included. One that names its zone has that one
/// reading.
pub fn fit(text: &str, interval: &RangeInclusive<Timestamp>) -> Fit {
    let readings = readings(text);
    if readings.is_empty() {
        return Fit::NoTime;
    }
    let within = |start: &Timestamp| {
        let end = start.saturating_add(SECOND).unwrap_or(Timestamp::MAX);
        *start <= *interval.end() && end > *interval.start()
    };
    if readings.iter().any(within) { Fit::Possible } else { Fit::Impossible }
}

/// Returns a time as it was sent, for people: one without a zone with those that it may be meant in.
pub fn describe(text: &str) -> Text {
    let has_zone = text.trim().parse::<Timestamp>().is_ok();
    if has_zone || readings(text).is_empty() {
        return Text::same(text.to_owned());
    }
    text!("{text} (UTC or UTC+8)", text)
}

/// Returns the instants that a text can mean; none when it is not a time.
fn readings(text: &str) -> Vec<Timestamp> {
    let text = text.trim();
    if let Ok(exact) = text.parse::<Timestamp>() {
        return vec![exact];
    }
    let Ok(civil) = text.parse::<DateTime>() else {
        return Vec::new();
    };
    OFFSETS.iter().filter_map(|offset| offset.to_timestamp(civil).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(from: &str, to: &str) -> RangeInclusive<Timestamp> {
        from.parse().unwrap()..=to.parse().unwrap()
    }

    #[test]
    fn time_without_a_zone_may_be_utc_or_utc_plus_eight() {
        let text = "2018-08-13 10:52:09";
        let table = [
            ("2018-08-13T10:52:00Z", "2018-08-13T10:53:00Z", Fit::Possible),
            ("2018-08-13T02:52:00Z", "2018-08-13T02:53:00Z", Fit::Possible),
            ("2018-08-13T02:52:10Z", "2018-08-13T10:52:08Z", Fit::Impossible),
            // Not the other way round, and in no third zone.
            ("2018-08-13T18:00:00Z", "2018-08-13T19:00:00Z", Fit::Impossible),
            ("2018-08-13T09:00:00Z", "2018-08-13T10:00:00Z", Fit::Impossible),
            // It may have been late in its second.
            ("2018-08-13T10:52:09.9Z", "2018-08-13T10:53:00Z", Fit::Possible),
            ("2018-08-13T10:52:10Z", "2018-08-13T10:53:00Z", Fit::Impossible),
            ("2018-08-13T10:00:00Z", "2018-08-13T10:52:09Z", Fit::Possible),
        ];
        for (from, to, expected) in table {
            assert_eq!(fit(text, &interval(from, to)), expected, "{from} {to}");
        }
    }

    #[test]
    fn named_zone_is_used() {
        let hour = interval("2018-08-13T02:00:00Z", "2018-08-13T03:00:00Z");
        assert_eq!(fit("2018-08-13T10:52:09+08:00", &hour), Fit::Possible);
        assert_eq!(fit("2018-08-13T10:52:09Z", &hour), Fit::Impossible);
        assert_eq!(fit(" 2018-08-13T10:52:09 ", &hour), Fit::Possible);
    }

    #[test]
    fn text_that_is_not_a_time_is_neither_possible_nor_impossible() {
        let ever = Timestamp::MIN..=Timestamp::MAX;
        for text in ["", "0000-00-00 00:00:00", "soon", "1534128729", "2018-13-40 10:52:09"] {
            assert_eq!(fit(text, &ever), Fit::NoTime, "{text}");
        }
    }
}
