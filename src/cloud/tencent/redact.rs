//! Makes text from outside fit to be shown and kept: secrets out, control characters visible.
//!
//! A secret is looked for as it is, in base64, and behind the escapes of JSON, of a URL and of a web page: an endpoint that
//! echoes what it was sent picks its own way to write it.

mod spelling;

use std::borrow::Cow;
use std::collections::{HashSet, VecDeque};
use std::ops::Range;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use super::credentials::Credentials;
use crate::invisible;
use crate::lang::Text;

/// The most of an answer's body, or of one text in it, that is kept, in characters.
const BODY_CHARS: usize = 2048;
/// The most of it that is looked through for that, in bytes.
const MOST_READ: usize = 1 << 16;
/// A cut text may end in the middle of a secret. A start this long is taken out too.
const START: usize = 6;
/// The same for a signature: its digits are as those of an id, and an id that happens to end like the start of one must stay.
const START_OF_SIGNATURE: usize = 16;
/// Whatever is shorter is not looked for: it would tear holes into ordinary words and into the ids that nothing may change.
/// No key of the vendor's is near that short: an id has 36 characters, a secret 32, a token hundreds.
const LEAST: usize = 8;
/// How many signatures are remembered. More than calls can be under way, and an echo comes in the answer to its own call.
const SIGNATURES: usize = 64;
const SIGNATURE: &str = "[signature]";
/// The longest id that is taken for one. Those of the vendor's have some 40 characters.
const LONGEST_ID: usize = 128;
/// An id that has so many letters and digits in a row in common with a secret holds a part of it.
const IN_COMMON: usize = 12;
/// The vendor's keys have 32 characters and more. A secret that is shorter than this may be a word that ids begin with.
const KEY: usize = 16;

/// Takes the secrets of every key that it has heard of, and every signature made with one, out of texts.
#[derive(Default)]
pub(super) struct Redactor {
    needles: RwLock<Needles>,
}

#[derive(Default)]
struct Needles {
    /// What must not be shown, with what stands in its place. The longest first: one value may hold another.
    secrets: Vec<(String, &'static str)>,
    /// The newest last.
    signatures: VecDeque<String>,
    /// Every run of letters and digits of a secret, in whatever way an id can spell it.
    runs: HashSet<Run>,
}

/// Letters and digits of a text, in lower case.
type Run = [u8; IN_COMMON];

/// Every run of a text, and the bytes that it takes, with what stands between its letters.
fn runs(text: &str) -> impl Iterator<Item = (Range<usize>, Run)> {
    let letters = text.bytes().enumerate();
    let letters = letters.filter(|(_, byte)| byte.is_ascii_alphanumeric());
    let letters: Vec<(usize, u8)> = letters.collect();
    let starts = 0..letters.len().saturating_sub(IN_COMMON - 1);
    starts.map(move |at| {
        let run = std::array::from_fn(|n| letters[at + n].1.to_ascii_lowercase());
        (letters[at].0..letters[at + IN_COMMON - 1].0 + 1, run)
    })
}

impl Needles {
    fn all(&self) -> impl Iterator<Item = (&str, &'static str)> {
        let secrets = self.secrets.iter().map(|(text, name)| (text.as_str(), *name));
        let signatures = self.signatures.iter().map(|text| (text.as_str(), SIGNATURE));
        secrets.chain(signatures)
    }

    fn are_in(&self, text: &str) -> bool {
        self.all().any(|(needle, _)| text.contains(needle)) || self.parts(text).next().is_some()
    }

    /// Where a part of a secret is.
    fn parts(&self, text: &str) -> impl Iterator<Item = Range<usize>> {
        let runs = (!self.runs.is_empty()).then(|| runs(text));
        let known = runs.into_iter().flatten();
        known.filter_map(|(place, run)| self.runs.contains(&run).then_some(place))
    }

    fn out_of<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut clean = Cow::Borrowed(text);
        for (needle, name) in self.all() {
            if clean.contains(needle) {
                clean = Cow::Owned(clean.replace(needle, name));
            }
        }
        clean
    }

    /// The text without what is left of a secret in it.
    fn parts_out_of(&self, text: &str) -> String {
        let mut clean = text.to_owned();
        let mut parts: Vec<Range<usize>> = Vec::new();
        for part in self.parts(text) {
            match parts.last_mut() {
                Some(last) if part.start <= last.end => last.end = part.end,
                Some(_) | None => parts.push(part),
            }
        }
        for part in parts.into_iter().rev() {
            clean.replace_range(part, "[secret]");
        }
        clean
    }
}

impl Redactor {
    #[cfg(test)]
    pub(super) fn new(credentials: &Credentials) -> Self {
        let redactor = Self::default();
        redactor.learn(credentials);
        redactor
    }

    /// Something else that is as good as a key.
    pub(super) fn hide(&self, secret: &str) {
        self.add(vec![(secret.to_owned(), "[secret]")]);
    }

    /// A key that is used from now on. An answer may still speak of the one before.
    pub(super) fn learn(&self, credentials: &Credentials) {
        self.add(credentials.needles());
    }

    /// A signature that is about to be sent. For some minutes whoever reads it can place the same order again.
    pub(super) fn hide_signature(&self, authorization: &str) {
        let Some((_, signature)) = authorization.rsplit_once("Signature=") else {
            return;
        };
        let mut known = self.needles.write().unwrap_or_else(PoisonError::into_inner);
        if known.signatures.len() == SIGNATURES {
            known.signatures.pop_front();
        }
        known.signatures.push_back(signature.to_owned());
    }

    fn add(&self, mut needles: Vec<(String, &'static str)>) {
        needles.retain(|(needle, _)| needle.len() >= LEAST);
        {
            let known = self.known();
            if needles.iter().all(|needle| known.secrets.contains(needle)) {
                return;
            }
        }
        for (needle, name) in needles.clone() {
            let encoded = spelling::in_base64(&needle).into_iter();
            needles.extend(encoded.filter(|it| it.len() >= LEAST).map(|it| (it, name)));
        }
        let mut known = self.needles.write().unwrap_or_else(PoisonError::into_inner);
        needles.retain(|needle| !known.secrets.contains(needle));
        for (needle, _) in needles.iter().filter(|(needle, _)| needle.len() >= KEY) {
            for spelling in [needle, &spelling::in_hex(needle), &spelling::backwards(needle)] {
                known.runs.extend(runs(spelling).map(|(_, run)| run));
            }
        }
        known.secrets.extend(needles);
        known.secrets.sort_by_key(|(needle, _)| std::cmp::Reverse(needle.len()));
    }

    fn known(&self) -> RwLockReadGuard<'_, Needles> {
        self.needles.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The start of a text, without secrets and with its control characters written out.
    pub(super) fn text(&self, text: &str) -> String {
        short(visible(&self.secrets_out(text)))
    }

    /// What a list says of an environment, fit to be kept. It is held against what is on record, so only a whole secret is taken
    /// out of it, and nothing that is shorter than any that the vendor hands out.
    pub(super) fn listed(&self, text: &str) -> String {
        let mut clean = text.to_owned();
        let needles = self.known();
        for (needle, name) in needles.all().filter(|(needle, _)| needle.len() >= KEY) {
            clean = clean.replace(needle, name);
        }
        short(visible(&clean))
    }

    /// Whether a text that came in the place of an id is one: letters, digits and `-_.:`, at most 128, and no part of a secret in
    /// any spelling. Nothing else is recorded or shown as an id: shortened or redacted, it would be another one.
    pub(super) fn is_id(&self, text: &str) -> bool {
        let belongs = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
        if text.is_empty() || text.len() > LONGEST_ID || !text.bytes().all(belongs) {
            return false;
        }
        let known = self.known();
        let is_signature = |signature: &String| text.contains(signature.as_str());
        !known.secrets.iter().any(|(secret, _)| text == secret)
            && known.parts(text).next().is_none()
            && !known.signatures.iter().any(is_signature)
    }

    /// The id, when it [is one](Self::is_id).
    pub(super) fn id(&self, id: &str) -> Option<String> {
        self.is_id(id).then(|| id.to_owned())
    }

    /// The text without secrets, and otherwise as it is: for what a program writes out by rules of its own.
    pub(super) fn secrets_out(&self, text: &str) -> String {
        let needles = self.known();
        let mut clean = needles.out_of(text).into_owned();
        // Escapes are undone only where a secret stands behind them, so that all else is kept to the letter. Twice: an escaped
        // text may be quoted in another.
        let mut plain = clean.clone();
        for _ in 0..2 {
            plain = spelling::undone(&plain);
            if needles.are_in(&plain) {
                clean = needles.out_of(&plain).into_owned();
                plain.clone_from(&clean);
            }
        }
        let mut clean = unsigned(&needles.parts_out_of(&clean));
        for (needle, name) in needles.all() {
            let least = if name == SIGNATURE { START_OF_SIGNATURE } else { START };
            let starts = (least..needle.len()).rev();
            if let Some(start) =
                starts.filter_map(|length| needle.get(..length)).find(|start| clean.ends_with(start))
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
        let body = &body[..body.len().min(MOST_READ)];
        let clean = self.text(&String::from_utf8_lossy(body));
        (!clean.trim().is_empty()).then_some(clean)
    }
}

/// The start of a text, and a mark where there was more.
fn short(text: String) -> String {
    match text.char_indices().nth(BODY_CHARS) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}

/// The text without what stands behind any `Signature=`, whoever made it: in a header, a query or a form.
fn unsigned(text: &str) -> String {
    const NAME: &[u8] = b"signature";
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) =
        rest.as_bytes().windows(NAME.len()).position(|window| window.eq_ignore_ascii_case(NAME))
    {
        let (before, after) = rest.split_at(at + NAME.len());
        clean.push_str(before);
        rest = after;
        let Some(value) = ["=", "%3D", "%3d"].iter().find_map(|is| rest.strip_prefix(is)) else {
            continue;
        };
        clean.push_str(&rest[..rest.len() - value.len()]);
        let belongs = |c: char| c.is_ascii_alphanumeric() || "+/=%-_".contains(c);
        rest = value.trim_start_matches(belongs);
        if rest.len() < value.len() {
            clean.push_str(SIGNATURE);
        }
    }
    clean.push_str(rest);
    clean
}

/// Writes out what would act on a terminal, and what nobody would see.
pub(crate) fn visible(text: &str) -> String {
    invisible::shown(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor() -> Redactor {
        Redactor::new(&Credentials {
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
            assert_eq!(redactor().text(text), expected);
        }
    }

    #[test]
    fn a_secret_is_found_however_it_is_spelled() {
        use base64::Engine as _;
        use base64::engine::general_purpose::STANDARD;
        let escaped = |c: char| format!(r"\u{:04x}", u32::from(c));
        let json = "to/ken/to/ken".chars().map(escaped).collect::<Vec<_>>().concat();
        let html = "to&#x2F;ken&#47;to/ken";
        for text in [
            "x to%2Fken%2fto%2Fken y".to_owned(),
            "x t%6F/ken/to/ken y".to_owned(),
            "x to%252Fken%252Fto%252Fken y".to_owned(),
            format!("x {json} y"),
            format!(r#"{{"a":"{}"}}"#, json.replace('\\', r"\\")),
            format!("x {html} y"),
            STANDARD.encode("to/ken/to/ken"),
            STANDARD.encode("x-tc-token: to/ken/to/ken, and more"),
        ] {
            let clean = redactor().text(&text);
            assert!(clean.contains("[token]"), "{text}: {clean}");
            assert!(!clean.contains("ken/"), "{text}: {clean}");
        }
        // What hides nothing is kept to the letter.
        for text in [r"100%41 \u0041 &#65; \/", "aGVsbG8gd29ybGQsIGhvdyBhcmUgeW91"] {
            assert_eq!(redactor().secrets_out(text), text);
        }
    }

    #[test]
    fn a_value_that_is_too_short_to_be_a_key_tears_no_holes() {
        let redactor = Redactor::new(&Credentials {
            secret_id: "env".to_owned(),
            secret_key: "1".into(),
            token: Some("".into()),
        });
        assert_eq!(redactor.text("env-1 2023"), "env-1 2023");
    }

    #[test]
    fn a_signature_is_taken_out_wherever_it_stands() {
        let redactor = redactor();
        let signature = "61af2d7ee73daa790ed0917053bfc9e6ec066717637c615567138d9ff2e4a27b";
        redactor.hide_signature(&format!("TC3-HMAC-SHA256 Credential=x, Signature={signature}"));
        redactor.hide_signature("SKIP");
        let table = [
            (format!("a {signature} b"), "a [signature] b"),
            (format!("it began {}", &signature[..20]), "it began [signature]"),
            // Somebody else's, or one of long ago.
            ("x, Signature=0290a49b6e55 y".to_owned(), "x, Signature=[signature] y"),
            ("signature%3Dab%2Bc&x=y".to_owned(), "signature%3D[signature]&x=y"),
            ("Signature= none, a signature too".to_owned(), "Signature= none, a signature too"),
            // An id that ends as it begins.
            (format!("env-{}", &signature[..8]), "env-61af2d7e"),
        ];
        for (text, expected) in table {
            assert_eq!(redactor.text(&text), expected);
        }
        for n in 0..SIGNATURES {
            redactor.hide_signature(&format!("Signature={n:064}"));
        }
        assert_eq!(redactor.text(signature), signature, "no more are kept than are of use");
    }

    #[test]
    fn no_spelling_of_a_secret_is_an_id() {
        let token = "Zx3TokenOfThirtyFourCharacters0abc";
        let redactor = Redactor::new(&Credentials {
            secret_id: "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE".to_owned(),
            secret_key: "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE".into(),
            token: Some(token.into()),
        });
        let hex = spelling::in_hex(token).to_uppercase();
        let swapped: String = token
            .chars()
            .map(|c| if c.is_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
            .collect();
        let parts: Vec<&str> = [&token[..8], &token[8..16], &token[16..]].to_vec();
        for text in [
            token,
            &token[..token.len() - 1],
            &token[1..],
            &swapped,
            &token.chars().rev().collect::<String>(),
            &parts.join("-"),
            &hex,
            &format!("shop-{token}-1"),
            &spelling::in_base64(token).remove(0),
            "akidz8krbsj5ykbzqpn74wfkmlpx3example",
        ] {
            assert!(!redactor.is_id(text), "{text}");
        }
        // In a message only that is taken out.
        let said = format!("x {} y", &token[1..]);
        assert_eq!(redactor.text(&said), "x [secret] y");
        let escape = |c: char| format!(r"\u{:04x}", u32::from(c));
        let escaped: String = said.chars().map(escape).collect();
        assert!(redactor.text(&escaped).contains("[secret]"), "{escaped}");
        for text in ["", "a b", " a", "a\u{0}", "x%41", "&#x41;", r"\u0041", "环境", "##[x]", "a/b", "a\n"]
        {
            assert!(!redactor.is_id(text), "{text}");
        }
        assert!(redactor.is_id(&"a".repeat(LONGEST_ID)) && !redactor.is_id(&"a".repeat(LONGEST_ID + 1)));
        for id in [
            "20200603119423",
            "cdnheader-v2a",
            "cloudbase-8grqda2hfc2f62bb",
            "eac6b301-a322-493a-8e36-83b295459397",
            "a_b.c:1",
        ] {
            assert!(redactor.is_id(id), "{id}");
        }
    }

    #[test]
    fn an_id_is_whole_or_not_there() {
        let redactor = |key: &str| {
            Redactor::new(&Credentials {
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
            (key, "a\u{1b}", None),
        ];
        for (key, id, expected) in table {
            assert_eq!(redactor(key).id(id).as_deref(), expected, "{id}");
        }
    }

    #[test]
    fn what_would_act_on_a_terminal_is_written_out() {
        assert_eq!(visible("\u{1b}[31m\u{7}\r\n\u{202e}x\u{9b}"), r"\u{1b}[31m\u{7}\r\n\u{202e}x\u{9b}");
    }

    #[test]
    fn a_body_is_kept_short_and_an_empty_one_not_at_all() {
        assert_eq!(redactor().body(b"  "), None);
        let long = redactor().body("环".repeat(5000).as_bytes()).unwrap();
        assert_eq!(long.chars().count(), BODY_CHARS + 1);
        assert_eq!(redactor().body(b"\xff\xfekeykeykey").unwrap(), "\u{fffd}\u{fffd}[secret key]");
    }
}
