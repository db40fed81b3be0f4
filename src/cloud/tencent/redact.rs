//! Makes text from outside fit to be shown and kept: without secrets, and with invisible characters written out.
//!
//! What postpay holds is kept out of sight by its type (`secrecy`). This is for answers: an endpoint or a proxy may echo what it
//! was sent, and picks its own way to spell it. So a secret is found by any twelve letters and digits of it in a row, whatever
//! stands between them, in either case, and behind the escapes of JSON, URLs and HTML; as it is, backwards, in hex and in base64.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret as _;

use super::credentials::types::Credentials;
use crate::i18n::Text;
use crate::sanitize;

/// The most of an answer's body, or of one text in it, that is kept, in characters.
const BODY_CHARS: usize = 2048;
/// The most of a body that is searched for that, in bytes.
const MOST_READ: usize = 1 << 16;
/// How many signatures are remembered. More than calls can be in progress, and an echo is in the answer to its own call.
const SIGNATURES: usize = 64;
/// The longest id that is accepted. Tencent Cloud's have some 40 characters.
const LONGEST_ID: usize = 128;
/// How many letters and digits in a row make a part of a secret. Tencent Cloud's have 32 and more; a shorter secret is not looked for,
/// because ids and ordinary words hold it too.
const RUN: usize = 12;

/// Letters and digits of a text, in lower case.
type Run = [u8; RUN];

/// Removes from texts every secret it was given, and every signature made with one.
#[derive(Default)]
pub(super) struct Redactor {
    known: RwLock<Known>,
}

#[derive(Default)]
struct Known {
    /// Every run of a secret, with what replaces it.
    runs: HashMap<Run, &'static str>,
    /// The newest last.
    signatures: VecDeque<String>,
}

impl Known {
    fn add(&mut self, secret: &str, name: &'static str) {
        for spelling in spellings(secret) {
            self.runs.extend(runs(&spelling).map(|(_, run)| (run, name)));
        }
    }

    /// Returns the parts of a text that spell a part of a secret, with what replaces each.
    fn parts<'a>(&'a self, text: &'a str) -> impl Iterator<Item = (Range<usize>, &'static str)> + 'a {
        let text = if self.runs.is_empty() { "" } else { text };
        runs(text).filter_map(|(place, run)| Some((place, *self.runs.get(&run)?)))
    }
}

impl Redactor {
    #[cfg(test)]
    pub(super) fn new(credentials: &Credentials) -> Self {
        let redactor = Self::default();
        redactor.learn(credentials);
        redactor
    }

    /// Adds credentials that are used from now on. Answers may still hold the ones before.
    pub(super) fn learn(&self, credentials: &Credentials) {
        self.add(credentials.secret_key.expose_secret(), "[secret key]");
        self.add(&credentials.secret_id, "[secret id]");
        if let Some(token) = &credentials.token {
            self.add(token.expose_secret(), "[token]");
        }
    }

    /// Adds another text that is as good as a secret.
    pub(super) fn hide(&self, secret: &str) {
        self.add(secret, "[secret]");
    }

    /// Adds the signature of a request that is about to be sent: for some minutes whoever reads it can send the request again.
    pub(super) fn hide_signature(&self, signature: &str) {
        let mut known = self.write();
        if known.signatures.len() == SIGNATURES
            && let Some(oldest) = known.signatures.pop_front()
        {
            for spelling in spellings(&oldest) {
                for (_, run) in runs(&spelling) {
                    known.runs.remove(&run);
                }
            }
        }
        known.add(signature, "[signature]");
        known.signatures.push_back(signature.to_owned());
    }

    fn add(&self, secret: &str, name: &'static str) {
        let is_known = {
            let known = self.read();
            runs(secret).all(|(_, run)| known.runs.contains_key(&run))
        };
        if is_known {
            return;
        }
        self.write().add(secret, name);
    }

    fn read(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the text without secrets and otherwise unchanged, for what a program escapes by its own rules.
    pub(super) fn redact(&self, text: &str) -> String {
        let known = self.read();
        let mut parts: Vec<(Range<usize>, &'static str)> = Vec::new();
        for (part, name) in known.parts(text) {
            match parts.last_mut() {
                Some((last, _)) if part.start <= last.end => last.end = part.end,
                Some(_) | None => parts.push((part, name)),
            }
        }
        let mut redacted = text.to_owned();
        for (part, name) in parts.into_iter().rev() {
            redacted.replace_range(part, name);
        }
        redacted
    }

    /// Returns the start of a text, without secrets and with its invisible characters written out.
    pub(super) fn text(&self, text: &str) -> String {
        let redacted = self.redact(text);
        let shown = sanitize::escape_invisible(&redacted);
        match shown.char_indices().nth(BODY_CHARS) {
            Some((cut, _)) => format!("{}…", &shown[..cut]),
            None => shown.into_owned(),
        }
    }

    /// As [`Self::text`], in every language.
    pub(super) fn say(&self, text: &Text) -> Text {
        text.map(|text| self.text(text))
    }

    /// Returns the start of a body, fit to be shown; None when there is nothing in it.
    pub(super) fn body(&self, body: &[u8]) -> Option<String> {
        let body = &body[..body.len().min(MOST_READ)];
        let text = self.text(&String::from_utf8_lossy(body));
        (!text.trim().is_empty()).then_some(text)
    }

    /// Whether a text in the place of an id is one: letters, digits and `-_.:`, at most 128, and no part of a secret. Nothing else is
    /// recorded or shown as an id: shortened or redacted, it would be another one.
    pub(super) fn is_id(&self, text: &str) -> bool {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
        (1..=LONGEST_ID).contains(&text.len())
            && text.bytes().all(is_allowed)
            && self.read().parts(text).next().is_none()
    }

    /// Returns the id, when it [is one](Self::is_id).
    pub(super) fn id(&self, id: &str) -> Option<String> {
        self.is_id(id).then(|| id.to_owned())
    }
}

/// Returns a secret as it is, backwards, in hex and in base64.
fn spellings(secret: &str) -> Vec<String> {
    let mut spellings = vec![secret.to_owned(), secret.chars().rev().collect(), hex::encode(secret)];
    // Where the secret begins within a group of three bytes changes its base64; the characters at both ends also depend on the
    // neighbours.
    for before in 0..3 {
        let bytes = [&[0; 2][..before], secret.as_bytes()].concat();
        let inner = (before * 4).div_ceil(3)..bytes.len() * 4 / 3;
        spellings.extend(STANDARD.encode(&bytes).get(inner).map(str::to_owned));
    }
    spellings
}

/// Returns every run of a text, with the bytes that spell it.
fn runs(text: &str) -> impl Iterator<Item = (Range<usize>, Run)> + '_ {
    let (mut run, mut starts) = ([0; RUN], [0; RUN]);
    let (mut at, mut count) = (0, 0);
    std::iter::from_fn(move || {
        while let Some(&byte) = text.as_bytes().get(at) {
            let start = at;
            let (letter, length) = match byte {
                b'\\' | b'%' | b'&' => escape(&text[at..]),
                _ => (byte, 1),
            };
            at += length;
            if letter.is_ascii_alphanumeric() {
                run.rotate_left(1);
                starts.rotate_left(1);
                run[RUN - 1] = letter.to_ascii_lowercase();
                starts[RUN - 1] = start;
                count += 1;
                if count >= RUN {
                    return Some((starts[0]..at, run));
                }
            }
        }
        None
    })
}

/// Returns the ASCII character that an escape at the start of a text spells, and the bytes it takes: `\u0041` in JSON, also quoted
/// again; `%41` in a URL, also escaped again; `&#65;` and `&#x41;` in HTML. What is no such escape is skipped, as all but letters and
/// digits is.
fn escape(text: &str) -> (u8, usize) {
    const NONE: u8 = b' ';
    let backslashes = text.bytes().take_while(|byte| *byte == b'\\').count();
    let hex = |start: usize, length: usize| {
        let digits = text.get(start..start + length)?;
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        u8::try_from(u32::from_str_radix(digits, 16).ok()?).ok().filter(|_| is_hex)
    };
    if backslashes > 0 {
        let code = text[backslashes..].starts_with('u').then(|| hex(backslashes + 1, 4)).flatten();
        return code.map_or((NONE, backslashes), |code| (code, backslashes + 5));
    }
    if text.starts_with('%') {
        let mut start = 1;
        while text[start..].starts_with("25") && hex(start + 2, 2).is_some() {
            start += 2;
        }
        return hex(start, 2).map_or((NONE, 1), |code| (code, start + 2));
    }
    let code = text.strip_prefix("&#").and_then(|rest| {
        let end = rest.bytes().take(9).position(|byte| byte == b';')?;
        let code = match rest.get(..end)?.strip_prefix(['x', 'X']) {
            Some(_) => hex(3, end - 1)?,
            None => rest[..end].parse().ok()?,
        };
        Some((code, end + 3))
    });
    code.unwrap_or((NONE, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "Zx3/Token+Of-Thirty=Four.Characters0abc";
    const KEY: &str = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE";
    const ID: &str = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE";

    fn redactor() -> Redactor {
        Redactor::new(&Credentials {
            secret_id: ID.to_owned(),
            secret_key: KEY.into(),
            token: Some(TOKEN.into()),
        })
    }

    #[test]
    fn secrets_are_replaced_by_what_they_are() {
        let signature = "61af2d7ee73daa790ed0917053bfc9e6ec066717637c615567138d9ff2e4a27b";
        let redactor = redactor();
        redactor.hide_signature(signature);
        redactor.hide("a web identity token");
        for (text, expected) in [
            (format!("a {KEY} b"), "a [secret key] b"),
            (format!("{ID}/2020"), "[secret id]/2020"),
            (format!("x {TOKEN} y"), "x [token] y"),
            (format!("cut off in the {}", &KEY[..20]), "cut off in the [secret key]"),
            (format!("x {} y", &TOKEN[4..]), "x [token] y"),
            (format!("Signature={signature}, {KEY}"), "Signature=[signature], [secret key]"),
            (format!("it began {}", &signature[..20]), "it began [signature]"),
            ("a-web-identity-token".to_owned(), "[secret]"),
            // The start of a secret is none.
            (format!("env-{} {}", &signature[..8], &KEY[..8]), "env-61af2d7e Gu5t9xGA"),
            ("我的环境".to_owned(), "我的环境"),
            (String::new(), ""),
        ] {
            assert_eq!(redactor.text(&text), expected);
        }
        for n in 0..SIGNATURES {
            redactor.hide_signature(&format!("{n:064}"));
        }
        assert_eq!(redactor.text(signature), signature, "the oldest signature is forgotten");
    }

    #[test]
    fn a_secret_is_found_in_every_spelling() {
        use base64::engine::general_purpose::URL_SAFE;
        let each = |escape: fn(char) -> String| TOKEN.chars().map(escape).collect::<String>();
        let json = each(|c| format!(r"\u{:04x}", u32::from(c)));
        let url = each(|c| format!("%{:02X}", u32::from(c)));
        let mut spellings = vec![
            TOKEN.replace('/', r"\/"),
            TOKEN.replace('/', "%2F").replace('T', "%54"),
            TOKEN.replace('/', "&#x2F;").replace('T', "&#84;"),
            json.replace('\\', r"\\"),
            url.replace('%', "%25"),
            url.replace('%', "%2525"),
            json,
            url,
            each(|c| format!("&#{};", u32::from(c))),
            TOKEN.chars().rev().collect(),
            hex::encode(TOKEN).to_uppercase(),
            TOKEN.to_lowercase(),
            TOKEN.to_uppercase(),
        ];
        for before in ["", "x", "xy", "Authorization: "] {
            let text = format!("{before}{TOKEN}, and more");
            spellings.extend([STANDARD.encode(&text), URL_SAFE.encode(&text)]);
        }
        for spelling in spellings {
            let text = format!("before {spelling} after");
            let redacted = redactor().redact(&text);
            assert!(redacted.contains("[token]"), "{text}: {redacted}");
            assert!(runs(&redacted).all(|(_, run)| !redactor().read().runs.contains_key(&run)), "{redacted}");
            assert!(redacted.starts_with("before ") && redacted.ends_with(" after"), "{redacted}");
        }
        for text in
            [r"100%41 \u0041 &#65; \/", "aGVsbG8gd29ybGQsIGhvdyBhcmUgeW91", "%", "&#", r"\u", "&#x;", "%环"]
        {
            assert_eq!(redactor().redact(text), text);
        }
    }

    #[test]
    fn an_id_is_complete_or_rejected() {
        let redactor = redactor();
        let joined = TOKEN.replace(['/', '+', '=', '.'], "-");
        let longest = "a".repeat(LONGEST_ID);
        let too_long = "a".repeat(LONGEST_ID + 1);
        for id in [
            KEY,
            &KEY[1..],
            &KEY.to_lowercase(),
            &joined,
            &hex::encode(KEY),
            &format!("shop-{KEY}-1"),
            &too_long,
        ] {
            assert_eq!(redactor.id(id), None, "{id}");
        }
        for id in
            ["", "a b", " a", "a\u{0}", "a\u{1b}", "x%41", "&#x41;", r"\u0041", "环境", "##[x]", "a/b", "a\n"]
        {
            assert_eq!(redactor.id(id), None, "{id}");
        }
        for id in [
            "20200603119423",
            "cloudbase-8grqda2hfc2f62bb",
            "eac6b301-a322-493a-8e36-83b295459397",
            "a_b.c:1",
            &longest,
        ] {
            assert_eq!(redactor.id(id).as_deref(), Some(id));
        }
    }

    #[test]
    fn a_secret_that_is_too_short_is_not_looked_for() {
        let short = Redactor::new(&Credentials {
            secret_id: "env".to_owned(),
            secret_key: "shop-prod".into(),
            token: Some("".into()),
        });
        assert_eq!(short.text("env-1 shop-prod"), "env-1 shop-prod");
        assert!(short.is_id("shop-prod-1"));
    }

    #[test]
    fn a_body_is_cut_and_an_empty_one_left_out() {
        assert_eq!(redactor().body(b"  "), None);
        let long = redactor().body("环".repeat(5000).as_bytes()).unwrap();
        assert_eq!(long.chars().count(), BODY_CHARS + 1);
        assert_eq!(redactor().body(b"\xff\x1b[1m").unwrap(), "\u{fffd}\\u{1b}[1m");
    }

    /// A text of nothing but the beginnings of escapes is read once, and not once for each.
    #[test]
    fn the_time_to_redact_is_linear_in_the_text() {
        for piece in ["\\", "&#", "%", "%25", "&#12345678901"] {
            let text = piece.repeat((1 << 20) / piece.len());
            assert_eq!(redactor().redact(&text), text);
        }
    }
}
