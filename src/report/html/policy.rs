//! What a browser may do with the page: show it with the style, and run the script, that stand in it. Nothing else is
//! loaded, run, sent or embedded, whatever a text on the page tries to be.

use std::borrow::Cow;

use sha2::{Digest as _, Sha256};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

pub(super) fn style() -> Cow<'static, str> {
    as_parsed(STYLE)
}

pub(super) fn script() -> Cow<'static, str> {
    as_parsed(SCRIPT)
}

/// The content security policy, for an attribute in double quotes.
pub(super) fn policy() -> String {
    format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
        source(&style()),
        source(&script())
    )
}

/// An HTML parser reads every end of a line as `\n`, and the hash is of what it read; a checkout may have put others there.
fn as_parsed(text: &'static str) -> Cow<'static, str> {
    if text.contains('\r') { Cow::Owned(text.replace("\r\n", "\n")) } else { Cow::Borrowed(text) }
}

fn source(text: &str) -> String {
    format!("sha256-{}", base64(&Sha256::digest(text)))
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            if at > chunk.len() {
                text.push('=');
            } else {
                let six = bits >> (18 - 6 * at) & 0x3f;
                text.push(char::from(ALPHABET[six as usize]));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        // RFC 4648, section 10.
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
        assert_eq!(source(""), "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }

    #[test]
    fn neither_file_ends_its_own_element_or_loads_anything() {
        for text in [style(), script()] {
            let lower = text.to_lowercase();
            for word in ["</", "<!--", "@import", "http:", "https:", "innerhtml", "eval(", "fetch("] {
                assert!(!lower.contains(word), "{word}");
            }
            assert!(!text.contains('\r'));
        }
    }
}
