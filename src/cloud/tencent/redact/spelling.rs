//! The ways in which a text may spell a value other than as it is: JSON's escapes, a URL's, a web page's, and base64. Pure.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// The text with its escapes of visible ASCII undone: `\u0041`, `\/`, `%41` and `&#x41;` become what they stand for. A quotation
/// mark and a backslash stay as they are, so that what was JSON does not end before its end.
pub(super) fn undone(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['\\', '%', '&']) {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some((c, length)) = escape(rest) {
            plain.push(c);
            rest = &rest[length..];
        } else {
            // A run of backslashes is looked at once: an answer may be nothing else. All three are a byte long.
            let run = rest.len() - rest.trim_start_matches('\\').len();
            let (kept, left) = rest.split_at(run.max(1));
            plain.push_str(kept);
            rest = left;
        }
    }
    plain.push_str(rest);
    plain
}

/// The character that an escape at the start of a text stands for, and how long it is.
fn escape(text: &str) -> Option<(char, usize)> {
    // JSON within JSON has two backslashes, or four.
    let rest = text.trim_start_matches('\\');
    let slashes = text.len() - rest.len();
    if slashes > 0 && rest.starts_with('/') {
        return Some(('/', slashes + 1));
    }
    let (code, length) = if slashes > 0 {
        (hex(rest.strip_prefix('u')?.get(..4)?)?, slashes + 5)
    } else if let Some(rest) = text.strip_prefix('%') {
        (hex(rest.get(..2)?)?, 3)
    } else {
        let rest = text.strip_prefix("&#")?;
        // No number that stands for a character has more digits.
        let end = rest.bytes().take(9).position(|byte| byte == b';')?;
        let number = rest.get(..end)?;
        let code = match number.strip_prefix(['x', 'X']) {
            Some(digits) => hex(digits)?,
            None => number.parse().ok()?,
        };
        (code, number.len() + 3)
    };
    Some((visible(code)?, length))
}

fn hex(digits: &str) -> Option<u32> {
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u32::from_str_radix(digits, 16).ok().filter(|_| is_hex)
}

fn visible(code: u32) -> Option<char> {
    char::from_u32(code).filter(|c| c.is_ascii_graphic() && !matches!(c, '"' | '\\'))
}

/// What every base64 text that holds this value has in it. Where the value begins within a group of three bytes changes how it
/// is spelled, so there are three of each alphabet; at both ends a character depends on the neighbour, and is left out.
pub(super) fn in_base64(value: &str) -> Vec<String> {
    let mut spellings = Vec::new();
    for before in 0..3 {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(value.as_bytes());
        let start = (before * 4).div_ceil(3);
        let end = bytes.len() * 4 / 3;
        for engine in [&STANDARD, &URL_SAFE] {
            let encoded = engine.encode(&bytes);
            spellings.extend(encoded.get(start..end).map(str::to_owned));
        }
    }
    spellings
}

/// The value in hexadecimal digits.
pub(super) fn in_hex(value: &str) -> String {
    value.bytes().fold(String::new(), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

pub(super) fn backwards(value: &str) -> String {
    value.chars().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_and_nothing_else_is() {
        let table = [
            (r"\u0041\u002f\/b", "A//b"),
            (r"\\u0041\\\/", "A/"),
            ("%41%2f%2F%zz%", "A//%zz%"),
            ("&#x2F;&#47;&#43;&amp;&#;", "//+&amp;&#;"),
            // Nothing that would end a JSON text, or that a terminal acts on.
            (r"\u0022\u005c\u001b%22%1B", r"\u0022\u005c\u001b%22%1B"),
            (r#"a\n\"b"#, r#"a\n\"b"#),
            ("我的%E6环境 &#25105; \\u6211 \\uZ", "我的%E6环境 &#25105; \\u6211 \\uZ"),
            (r"\u004", r"\u004"),
            ("&#环境;", "&#环境;"),
            ("", ""),
        ];
        for (text, expected) in table {
            assert_eq!(undone(text), expected, "{text}");
        }
    }

    /// An answer that is nothing but the beginnings of escapes is read once, and not once for each.
    #[test]
    fn what_only_begins_as_an_escape_takes_no_longer_than_it_is_long() {
        for piece in ["\\", "&#", "%", "&#12345678901"] {
            let text = piece.repeat((1 << 20) / piece.len());
            assert_eq!(undone(&text), text);
        }
    }

    #[test]
    fn a_value_is_found_in_base64_wherever_it_begins() {
        let value = "a+secret/that?is~long";
        for before in ["", "x", "xy", "xyz", "Authorization: "] {
            for after in ["", "!", "!!", "!!!"] {
                let text = format!("{before}{value}{after}");
                for encoded in [STANDARD.encode(&text), URL_SAFE.encode(&text)] {
                    let found = in_base64(value).iter().any(|it| encoded.contains(it));
                    assert!(found, "{text}: {encoded}");
                }
            }
        }
    }
}
