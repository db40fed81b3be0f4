//! Resolves a plain scalar to a string, number, boolean or null, as `serde_yaml` does, so that manifests mean
//! the same to other tools.

use std::str::FromStr as _;

use saphyr_parser::{ScalarStyle, Tag};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resolved {
    Null,
    Bool(bool),
    Number,
    Text,
}

/// Returns what a scalar is, and whether its tag fits: only tags of YAML's core schema count.
pub(super) fn resolve_tagged(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> (Resolved, bool) {
    let Some(tag) = tag else {
        let resolved = match style {
            ScalarStyle::Plain => resolve(text),
            ScalarStyle::SingleQuoted
            | ScalarStyle::DoubleQuoted
            | ScalarStyle::Literal
            | ScalarStyle::Folded => Resolved::Text,
        };
        return (resolved, true);
    };
    if is_non_specific(tag) {
        return (Resolved::Text, true);
    }
    let plain = resolve(text);
    let fits = tag.is_yaml_core_schema()
        && match (tag.suffix.as_str(), plain) {
            ("str", _) => return (Resolved::Text, true),
            ("null", Resolved::Null) | ("bool", Resolved::Bool(_)) | ("int" | "float", Resolved::Number) => {
                true
            }
            ("merge", Resolved::Text) => text == "<<",
            (_, Resolved::Null | Resolved::Bool(_) | Resolved::Number | Resolved::Text) => false,
        };
    (plain, fits)
}

/// Returns whether a collection of this core type may have the tag.
pub(super) fn fits_collection(tag: &Tag, core: &str) -> bool {
    is_non_specific(tag) || tag.is_yaml_core_schema() && tag.suffix == core
}

/// `!` alone: "as written".
fn is_non_specific(tag: &Tag) -> bool {
    tag.handle.is_empty() && tag.suffix == "!" || tag.handle == "!" && tag.suffix.is_empty()
}

pub(super) fn resolve(plain: &str) -> Resolved {
    match plain {
        "" | "~" | "null" | "Null" | "NULL" => Resolved::Null,
        "true" | "True" | "TRUE" => Resolved::Bool(true),
        "false" | "False" | "FALSE" => Resolved::Bool(false),
        _ if is_number(plain) => Resolved::Number,
        _ => Resolved::Text,
    }
}

fn is_number(plain: &str) -> bool {
    let bytes = plain.as_bytes();
    // A quick filter: only what a decimal, an exponent, a radix prefix, `.inf` or `.nan` can hold.
    if !matches!(bytes.first(), Some(b'0'..=b'9' | b'+' | b'-' | b'.')) {
        return false;
    }
    let possible = |byte: &u8| {
        byte.is_ascii_hexdigit()
            || matches!(byte, b'+' | b'-' | b'.' | b'x' | b'o' | b'i' | b'n' | b'I' | b'N')
    };
    bytes.iter().all(possible)
        && (serde_yaml::Number::from_str(plain).is_ok()
            || is_beyond_64_bits(plain)
            || is_beyond_floats(plain))
}

/// Numbers like `1e400`, which `serde_yaml` takes for strings.
fn is_beyond_floats(plain: &str) -> bool {
    plain.ends_with(|c: char| c.is_ascii_digit() || c == '.')
        && plain.contains(['e', 'E', '.'])
        && plain.parse().is_ok_and(f64::is_infinite)
}

/// Whole numbers that `serde_yaml` recognises but that are too large for it.
fn is_beyond_64_bits(plain: &str) -> bool {
    let unsigned = plain.strip_prefix(['+', '-']).unwrap_or(plain);
    let fits =
        |digits: &str, radix| !digits.starts_with(['+', '-']) && u128::from_str_radix(digits, radix).is_ok();
    match unsigned.get(..2) {
        Some("0x") => fits(&unsigned[2..], 16),
        Some("0o") => fits(&unsigned[2..], 8),
        Some("0b") => fits(&unsigned[2..], 2),
        _ => !unsigned.starts_with('0') && fits(unsigned, 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn by_serde_yaml(plain: &str) -> Resolved {
        match serde_yaml::from_str::<serde_yaml::Value>(&format!("k: {plain}")) {
            Ok(value) => match &value["k"] {
                serde_yaml::Value::Null => Resolved::Null,
                serde_yaml::Value::Bool(truth) => Resolved::Bool(*truth),
                serde_yaml::Value::Number(_) => Resolved::Number,
                serde_yaml::Value::String(_) => Resolved::Text,
                other => panic!("{plain:?} is no scalar: {other:?}"),
            },
            Err(error) => {
                assert!(error.to_string().contains("integer"), "{plain:?}: {error}");
                Resolved::Number
            }
        }
    }

    #[test]
    fn common_pitfalls() {
        for (plain, expected) in [
            ("~", Resolved::Null),
            ("yes", Resolved::Text),
            ("no", Resolved::Text),
            ("1e3", Resolved::Number),
            ("0755", Resolved::Text),
            ("0x1F", Resolved::Number),
            (".5", Resolved::Number),
            ("-.inf", Resolved::Number),
            (".NaN", Resolved::Number),
            ("inf", Resolved::Text),
            ("1_000", Resolved::Text),
            ("1.2.3", Resolved::Text),
            ("2024-11-23", Resolved::Text),
            ("10-shop", Resolved::Text),
            ("340282366920938463463374607431768211455", Resolved::Number),
            ("999999999999999999999999999999999999999999", Resolved::Number),
            ("00000000000000000000000000", Resolved::Text),
            ("-170141183460469231731687303715884105729", Resolved::Number),
            ("1.5e308", Resolved::Number),
            ("True", Resolved::Bool(true)),
            ("tRUE", Resolved::Text),
        ] {
            assert_eq!(resolve(plain), expected, "{plain}");
            assert_eq!(by_serde_yaml(plain), expected, "{plain} by serde_yaml");
        }
    }

    #[test]
    fn numbers_beyond_floats_are_numbers() {
        for plain in ["1e400", "-1.5E+999", "1e309"] {
            assert_eq!(resolve(plain), Resolved::Number, "{plain}");
        }
        for plain in ["1e400x", "inf", "1e-400"] {
            assert!(!is_beyond_floats(plain), "{plain}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_serde_yaml(
            plain in "[-+]?(0[xob])?[0-9a-fA-F+-]{0,24}[.]?[0-9]{0,4}([eE][-+]?[0-9]{1,4})?|[-+.a-zA-Z0-9]{1,8}|[-+.]{0,2}(inf|Inf|INF|nan|NaN|NAN|null|true|0x)"
        ) {
            // `-` alone begins a list, it is no scalar.
            prop_assume!(!plain.is_empty() && plain != "-" && !is_beyond_floats(&plain));
            prop_assert_eq!(resolve(&plain), by_serde_yaml(&plain));
        }
    }
}
