//! Makes text from outside fit to be shown and kept: secrets out, control characters visible.

use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use super::credentials::Credentials;
use crate::lang::Text;

/// The most of an answer's body that is kept as evidence, in characters.
const BODY_CHARS: usize = 2048;
/// A cut text may end in the middle of a secret. A start this long is taken out too.
const START: usize = 6;
/// The vendor's keys have 32 characters and more. A secret that is shorter than this may be a word that ids begin with.
const KEY: usize = 16;
/// What is shorter than this is nobody's key.
const SHORT: usize = 8;

/// Takes the secrets of every key that it has heard of out of texts.
#[derive(Default)]
pub(super) struct Scrub {
    needles: RwLock<Vec<(String, &'static str)>>,
}

impl Scrub {
    #[cfg(test)]
    pub(super) fn new(credentials: &Credentials) -> Self {
        let scrub = Self::default();
        scrub.learn(credentials);
        scrub
    }

    /// Something else that is as good as a key.
    pub(super) fn hide(&self, secret: &str) {
        self.add(vec![(secret.to_owned(), "[secret]")]);
    }

    /// A key that is used from now on. An answer may still speak of the one before.
    pub(super) fn learn(&self, credentials: &Credentials) {
        self.add(credentials.needles());
    }

    fn add(&self, mut needles: Vec<(String, &'static str)>) {
        {
            let known = self.known();
            if needles.iter().all(|needle| known.contains(needle)) {
                return;
            }
        }
        // JSON may write a solidus as `\/`, and tokens have them.
        for (needle, name) in needles.clone() {
            if needle.contains('/') {
                needles.push((needle.replace('/', r"\/"), name));
            }
        }
        let mut known = self.needles.write().unwrap_or_else(PoisonError::into_inner);
        known.extend(needles);
        // The longest first: one value may hold another.
        known.sort_by_key(|(needle, _)| std::cmp::Reverse(needle.len()));
        known.dedup();
    }

    fn known(&self) -> RwLockReadGuard<'_, Vec<(String, &'static str)>> {
        self.needles.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The text without secrets and with its control characters written out.
    pub(super) fn text(&self, text: &str) -> String {
        visible(&self.secrets_out(text))
    }

    /// An id of the vendor's, as it is recorded: whole, but for what would act on a terminal. An id that lost a part would be
    /// another one, and the environment lost with it. None for what holds a key and can't be recorded.
    pub(super) fn id(&self, id: &str) -> Option<String> {
        let is_in = |needle: &str| {
            needle.len() >= KEY && id.contains(needle) || needle.len() >= SHORT && id == needle
        };
        let holds_a_key = self.known().iter().any(|(needle, _)| is_in(needle));
        (!holds_a_key).then(|| visible(id))
    }

    /// The text without secrets, and otherwise as it is: for what a program writes out by rules of its own.
    pub(super) fn secrets_out(&self, text: &str) -> String {
        let mut clean = text.to_owned();
        let needles = self.known();
        for (needle, name) in needles.iter() {
            if !needle.is_empty() {
                clean = clean.replace(needle.as_str(), name);
            }
        }
        for (needle, name) in needles.iter() {
            let starts = (START..needle.len()).rev();
            if let Some(start) = starts
                .filter_map(|length| needle.get(..length))
                .find(|start| clean.ends_with(start))
            {
                clean.truncate(clean.len() - start.len());
                clean.push_str(name);
            }
        }
        clean
    }

    /// As [`Self::text`], in every language.
    pub(super) fn say(&self, text: &Text) -> Text {
        text.map(|text| self.text(text))
    }

    /// The start of a body, fit to be shown; None when there is nothing in it.
    pub(super) fn body(&self, body: &[u8]) -> Option<String> {
        let clean = self.text(&String::from_utf8_lossy(body));
        if clean.trim().is_empty() {
            return None;
        }
        Some(match clean.char_indices().nth(BODY_CHARS) {
            Some((cut, _)) => format!("{}…", &clean[..cut]),
            None => clean,
        })
    }
}

/// Writes out what would act on a terminal: control characters, and those that turn the direction of writing.
pub(super) fn visible(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                clean.extend(c.escape_unicode());
            }
            c if c.is_control() => clean.extend(c.escape_default()),
            c => clean.push(c),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrub() -> Scrub {
        Scrub::new(&Credentials {
            secret_id: "AKIDEXAMPLE".to_owned(),
            secret_key: "keykeykey".into(),
            token: Some("to/ken/to/ken".into()),
        })
    }

    #[test]
    fn secrets_are_taken_out_wherever_they_stand() {
        let table = [
            ("a keykeykey b", "a [secret key] b"),
            ("AKIDEXAMPLE/2020", "[secret id]/2020"),
            ("x to/ken/to/ken y", "x [token] y"),
            (r"x to\/ken\/to\/ken y", "x [token] y"),
            ("cut off in the keykeyk", "cut off in the [secret key]"),
            ("我的环境", "我的环境"),
            ("", ""),
        ];
        for (text, expected) in table {
            assert_eq!(scrub().text(text), expected);
        }
    }

    #[test]
    fn an_id_is_whole_or_not_there() {
        let scrub = |key: &str| {
            Scrub::new(&Credentials {
                secret_id: "AKIDEXAMPLE".to_owned(),
                secret_key: key.into(),
                token: None,
            })
        };
        let key = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE";
        let table = [
            ("shop", "shop-abc123", Some("shop-abc123")),
            ("shop", "shop", Some("shop")),
            ("shop-prod", "shop-prod-1", Some("shop-prod-1")),
            ("shop-prod", "shop-prod", None),
            // The start of a key is no key.
            (key, "x-Gu5t9xGA", Some("x-Gu5t9xGA")),
            (key, key, None),
            (key, "x-Gu5t9xGARNpq86cd98joQYCN3EXAMPLE-1", None),
            (key, "a\u{1b}", Some(r"a\u{1b}")),
        ];
        for (key, id, expected) in table {
            assert_eq!(scrub(key).id(id).as_deref(), expected, "{id}");
        }
    }

    #[test]
    fn what_would_act_on_a_terminal_is_written_out() {
        assert_eq!(
            visible("\u{1b}[31m\u{7}\r\n\u{202e}x\u{9b}"),
            r"\u{1b}[31m\u{7}\r\n\u{202e}x\u{9b}"
        );
    }

    #[test]
    fn a_body_is_kept_short_and_an_empty_one_not_at_all() {
        assert_eq!(scrub().body(b"  "), None);
        let long = scrub().body("环".repeat(5000).as_bytes()).unwrap();
        assert_eq!(long.chars().count(), BODY_CHARS + 1);
        assert_eq!(
            scrub().body(b"\xff\xfekeykeykey").unwrap(),
            "\u{fffd}\u{fffd}[secret key]"
        );
    }
}
