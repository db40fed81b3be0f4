//! Makes text from outside fit to be shown and kept: secrets out, control characters visible.

use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use super::credentials::Credentials;
use crate::lang::Text;
use crate::unseen;

/// The most of an answer's body that is kept as evidence, in characters.
const BODY_CHARS: usize = 2048;
/// A cut text may end in the middle of a secret. A start this long is taken out too.
const START: usize = 6;
/// A secret of the vendor's has at least so many characters: a key 32, its id 36, a token more.
const LEAST: usize = 16;

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

    /// What a list says of an environment, fit to be kept. It is held against what is on record, so only a whole secret is taken
    /// out of it, and nothing that is shorter than any that the vendor hands out.
    pub(super) fn listed(&self, text: &str) -> String {
        let mut clean = text.to_owned();
        let needles = self.known();
        for (needle, name) in needles.iter().filter(|(needle, _)| needle.len() >= LEAST) {
            clean = clean.replace(needle.as_str(), name);
        }
        visible(&clean)
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

/// Writes out what would act on a terminal, and what nobody would see.
pub(crate) fn visible(text: &str) -> String {
    unseen::shown(text).into_owned()
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
