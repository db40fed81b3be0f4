//! Makes text safe to show in a terminal, a report, or the log of a CI system.
//!
//! **Invisible characters.** A terminal interprets some characters, and draws others as nothing, as a blank,
//! or in reverse order. They are shown as escapes, so that a reviewer sees everything. Two are kept where
//! they form an emoji: U+FE0F after a symbol, and U+200D between two. There they can't spell anything.
//!
//! **Commands.** CI systems run commands found in the log of a job, so all output has them escaped:
//! - `##[name …]`, `##vso[…]`, `##teamcity[…]` anywhere in a line (a GitHub runner's older parser, Azure Pipelines, TeamCity): the
//!   bracket after `##` and any word.
//! - `::name …::` at the start of a line, after white space too (a GitHub runner): the first colon.
//!
//! The escape is that of the syntax of the document, so that a program reads the same value: `##\u005bname]` in JSON,
//! The escape follows the syntax of the document, so that a program reads the same value: `##\u005bname]` in
//! JSON, `##&#91;name]` in HTML and XML, a backslash in plain text and Markdown: `##\[name]`, `\::name::`.
//! postpay itself writes such sequences only in `--format github`.
use std::borrow::Cow;
use std::fmt::Write as _;

/// Variation selector: draws the symbol before it as an emoji.
const COLOURED: char = '\u{fe0f}';
/// Zero width joiner: combines two symbols into one emoji.
const JOINER: char = '\u{200d}';

/// Returns whether a character is invisible, reorders its neighbours, or looks like a space.
///
/// Controls, line and paragraph separators, Default_Ignorable_Code_Point, marks of annotations and
/// hieroglyphs, spaces of other widths than U+0020 and U+3000, other blank characters, and noncharacters.
const fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            // Soft hyphen, and the combining grapheme joiner.
            | '\u{ad}'
            | '\u{34f}'
            // Arabic letter mark.
            | '\u{61c}'
            // Hangul fillers.
            | '\u{115f}'..='\u{1160}'
            | '\u{3164}'
            | '\u{ffa0}'
            | '\u{1680}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            // Spaces of other widths, joiners, bidirectional controls, line separators, invisible operators.
            | '\u{2000}'..='\u{200f}'
            | '\u{2028}'..='\u{202f}'
            | '\u{205f}'..='\u{206f}'
            // Blank braille pattern.
            | '\u{2800}'
            // Variation selectors.
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{fdd0}'..='\u{fdef}'
            | '\u{feff}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{13430}'..='\u{13440}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            // Tags, more variation selectors, and reserved code points.
            | '\u{e0000}'..='\u{e0fff}'
    )
    // The last two code points of every plane are noncharacters.
    || character as u32 & 0xfffe == 0xfffe
}

/// Returns whether it is drawn as a symbol that may be part of an emoji.
const fn is_symbol(character: char) -> bool {
    matches!(
        character,
        '\u{a9}'
            | '\u{ae}'
            | '\u{203c}'
            | '\u{2049}'
            | '\u{2122}'
            | '\u{2139}'
            | '\u{2190}'..='\u{21ff}'
            | '\u{2300}'..='\u{23ff}'
            | '\u{25a0}'..='\u{27bf}'
            | '\u{2b00}'..='\u{2b55}'
            | '\u{3030}'
            | '\u{303d}'
            | '\u{3297}'
            | '\u{3299}'
            | '\u{1f000}'..='\u{1fadf}'
    )
}

/// Returns the invisible characters of a text with their byte offsets.
pub fn invisible(text: &str) -> impl Iterator<Item = (usize, char)> + '_ {
    let mut before: [Option<char>; 2] = [None, None];
    let mut characters = text.char_indices().peekable();
    std::iter::from_fn(move || {
        loop {
            let (at, character) = characters.next()?;
            let [last, last_but_one] = before;
            before = [Some(character), last];
            let is_drawn = match character {
                COLOURED => last.is_some_and(is_symbol),
                JOINER => {
                    let symbol = if last == Some(COLOURED) { last_but_one } else { last };
                    let next = characters.peek().map(|(_, next)| *next);
                    symbol.is_some_and(is_symbol) && next.is_some_and(is_symbol)
                }
                character => !is_invisible(character),
            };
            if !is_drawn {
                return Some((at, character));
            }
        }
    })
}

/// Escapes the invisible characters of a text, as `\n` or `\u{202e}`.
pub fn escape_invisible(text: &str) -> Cow<'_, str> {
    replace(text, invisible(text), |safe, character| safe.extend(character.escape_default()))
}

/// Escapes invisible characters and CI commands in the strings of a JSON document. Its line breaks stay, and
/// parsers read the same values.
pub fn json(document: &str) -> String {
    // In JSON the ASCII ones only occur between values, where an escape would be wrong.
    let in_texts =
        invisible(document).filter(|(_, character)| !character.is_ascii() || *character == '\u{7f}');
    let visible = replace(document, in_texts, |safe, character| {
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing to a String cannot fail.
            let _ = write!(safe, "\\u{unit:04x}");
        }
    });
    escape_commands(&visible, Syntax::Json).into_owned()
}

/// The syntax of a document, which determines the escape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// Plain text, Markdown, CSV, and YAML comments.
    Plain,
    Json,
    /// HTML and XML.
    Markup,
    /// GitHub workflow commands, one per line, with escaped values.
    Commands,
}

/// Escapes everything that a CI system would run as a command.
pub fn escape_commands(text: &str, syntax: Syntax) -> Cow<'_, str> {
    let (bracket, colon) = match syntax {
        Syntax::Plain => (r"\[", r"\:"),
        Syntax::Json => (r"\u005b", r"\u003a"),
        Syntax::Markup => ("&#91;", "&#58;"),
        Syntax::Commands => (r"\[", ":"),
    };
    let is_obeyed = |(at, character): &(usize, char)| match character {
        '[' => follows_marker(&text[..*at]),
        ':' => syntax != Syntax::Commands && starts_command(text, *at),
        _ => false,
    };
    let obeyed = text.char_indices().filter(is_obeyed);
    replace(text, obeyed, |safe, character| safe.push_str(if character == '[' { bracket } else { colon }))
}

/// Returns whether a text ends in `##` and a word, which may be empty.
fn follows_marker(before: &str) -> bool {
    before.trim_end_matches(char::is_alphanumeric).ends_with("##")
}

/// Returns whether `::` is at this byte, with only white space before it in its line.
fn starts_command(text: &str, at: usize) -> bool {
    let before = text[..at].trim_end_matches(|c: char| c.is_whitespace() && c != '\n' && c != '\r');
    text[at..].starts_with("::") && (before.is_empty() || before.ends_with(['\n', '\r']))
}

/// Replaces the characters at these places.
fn replace(
    text: &str,
    places: impl Iterator<Item = (usize, char)>,
    escape: impl Fn(&mut String, char),
) -> Cow<'_, str> {
    let mut places = places.peekable();
    if places.peek().is_none() {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 32);
    let mut from = 0;
    for (at, character) in places {
        safe.push_str(&text[from..at]);
        escape(&mut safe, character);
        from = at + character.len_utf8();
    }
    safe.push_str(&text[from..]);
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests;
