//! Durations: `60`, `60s`, `2m`, `1500ms`, `1h`.

use std::fmt;
use std::time::Duration;

use crate::i18n::{Text, text};

/// The longest duration: ten years of 365 days. A clock may not be able to add more.
pub const MAX: Duration = Duration::from_secs(MAX_HOURS * 3600);
const MAX_HOURS: u64 = 10 * 365 * 24;

/// A text that is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Not a whole number with a unit.
    Invalid(String),
    /// Longer than [`MAX`].
    TooLong(String),
}

impl DurationError {
    fn text(&self) -> Text {
        match self {
            Self::Invalid(text) => {
                let text = text.escape_debug();
                text!(
                    "`{text}` is not a duration: write a whole number and `ms`, `s`, `m` or `h`, like `90s`",
                    text
                )
            }
            Self::TooLong(text) => {
                let text = text.escape_debug();
                text!("`{text}` is too long: at most {MAX_HOURS}h (ten years)", text, MAX_HOURS)
            }
        }
    }
}

/// English, and Chinese as `{:#}`.
impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

/// Parses a whole number with a unit; without one it counts seconds. Zero is allowed.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let error = || DurationError::Invalid(text.to_owned());
    let too_long = || DurationError::TooLong(text.to_owned());
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| error())?;
    let seconds = |scale: u64| number.checked_mul(scale).map(Duration::from_secs);
    let duration = match unit {
        "ms" => Some(Duration::from_millis(number)),
        "" | "s" => seconds(1),
        "m" => seconds(60),
        "h" => seconds(3600),
        _ => return Err(error()),
    };
    duration.filter(|duration| *duration <= MAX).ok_or_else(too_long)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_and_anything_else_is_rejected() {
        for (text, millis) in
            [("60", 60_000), ("60s", 60_000), ("2m", 120_000), ("1500ms", 1500), ("1h", 3_600_000), ("0", 0)]
        {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "s", "-1s", "1.5s", "1 s", "1d", "1S", "+1", "１s", "99999999999999999999"] {
            assert_eq!(parse(text), Err(DurationError::Invalid(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn ten_years_are_the_longest() {
        assert_eq!(parse("87600h"), Ok(MAX));
        assert_eq!(parse("315360000"), Ok(MAX));
        for text in
            ["87601h", "315360001s", "5000000000000000h", "18446744073709551615h", "18446744073709551615ms"]
        {
            let error = DurationError::TooLong(text.to_owned());
            assert_eq!(parse(text), Err(error.clone()), "{text}");
            let shown = format!("{error}|{error:#}");
            let expected = format!(
                "`{text}` is too long: at most 87600h (ten years)|`{text}` 太长：时长最多为 87600h，即十年"
            );
            assert_eq!(shown, expected);
        }
    }
}
