//! A region of Tencent Cloud, as sent in the request header.

use std::fmt;
use std::str::FromStr;

use crate::i18n::{Text, text};

/// The most characters of a region. The longest in use has about twenty.
const LONGEST: usize = 64;
/// The same rule for a JSON Schema.
pub(super) const PATTERN: &str = "^[a-z0-9-]{1,64}$";

/// A region's name: lower-case letters, digits and `-`. Which regions exist is not checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region(String);

/// A text that is not a [`Region`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub struct RegionError;

impl RegionError {
    fn text(self) -> Text {
        let Self = self;
        text!(
            "a region has lower-case letters, digits and `-`, at most {LONGEST}, such as ap-shanghai",
            LONGEST
        )
    }
}

/// English, and Chinese as `{:#}`.
impl fmt::Display for RegionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

impl FromStr for Region {
    type Err = RegionError;

    fn from_str(text: &str) -> Result<Self, RegionError> {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (1..=LONGEST).contains(&text.len()) && text.bytes().all(is_plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(RegionError)
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn region_is_a_valid_header_value() {
        let longest = "a".repeat(LONGEST);
        for text in ["ap-shanghai", "ap-shanghai-fsi", "na-ashburn", "x1", &longest] {
            assert_eq!(text.parse::<Region>().unwrap().to_string(), text);
        }
        let too_long = "a".repeat(LONGEST + 1);
        for text in ["", "AP-shanghai", "ap shanghai", "上海", "ap_x", "ap\n", "a:b", &too_long] {
            assert_eq!(text.parse::<Region>(), Err(RegionError), "{text}");
        }
        assert!(PATTERN.contains(&LONGEST.to_string()));
        assert!(RegionError.text().is_in_both());
    }
}
