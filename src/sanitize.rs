//! Makes text safe to show in a terminal, a report, or the log of a CI system.
//!
//! **Invisible characters.** A terminal obeys some characters, and draws nothing, or a blank, or the line the other way round, for
//! others. Whoever reads a plan would agree to something that they did not see, so these are shown as escapes. Two belong to what
//! people write and stay where they draw an emoji: U+FE0F directly behind a symbol, and U+200D directly between two. There
//! they stand beside something visible, one at a time, so that nothing can be spelt with them.
//!
//! **Commands.** CI systems obey commands in the log of a job, so everything that is printed or reported has them escaped:
//! - `##[name …]`, `##vso[…]`, `##teamcity[…]` anywhere in a line (a GitHub runner's older parser, Azure Pipelines, TeamCity): the
//!   bracket after `##` and any word.
//! - `::name …::` at the start of a line, after white space too (a GitHub runner): the first colon.
//!
//! The escape is that of the syntax of the document, so that a program reads the same value: `##\u005bname]` in JSON,
//! `##&#91;name]` in HTML and XML. In plain text and Markdown it is a backslash: `##\[name]`, `\::name::`. postpay itself writes
//! no such sequence, except for the workflow commands of `--format github`.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Draws the symbol before it in colour.
const COLOURED: char = '\u{fe0f}';
/// Makes one emoji of the two around it.
const JOINER: char = '\u{200d}';

/// Whether a character is invisible, moves what is around it, or looks like a blank.
///
/// These are controls, line and paragraph ends, Default_Ignorable_Code_Point, the marks of annotations and hieroglyphs, blanks
/// that are not as wide as U+0020 or U+3000, what is blank without being a space, and noncharacters.
const fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            // Soft hyphen, and what joins marks.
            | '\u{ad}'
            | '\u{34f}'
            // Turns the direction of Arabic.
            | '\u{61c}'
            // Fillers of Hangul, in each of their blocks.
            | '\u{115f}'..='\u{1160}'
            | '\u{3164}'
            | '\u{ffa0}'
            | '\u{1680}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            // Spaces of other widths, the joiners, what turns the direction, ends of lines, operators that nobody sees.
            | '\u{2000}'..='\u{200f}'
            | '\u{2028}'..='\u{202f}'
            | '\u{205f}'..='\u{206f}'
            // Braille without a dot.
            | '\u{2800}'
            // They choose how the character before them is drawn.
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{fdd0}'..='\u{fdef}'
            | '\u{feff}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{13430}'..='\u{13440}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            // Tags, more of what chooses, and what is kept for more of them.
            | '\u{e0000}'..='\u{e0fff}'
    )
    // The last two of every plane are no characters.
    || character as u32 & 0xfffe == 0xfffe
}

/// What is drawn as a symbol, so that an emoji can be made of it. All of it is seen.
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

/// The invisible characters of a text, with the byte that each begins at.
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

/// The text with its invisible characters as escapes, such as `\n` or `\u{202e}`.
pub fn escape_invisible(text: &str) -> Cow<'_, str> {
    replace(text, invisible(text), |safe, character| safe.extend(character.escape_default()))
}

/// A JSON document, safe to print: what is invisible in its texts, and what a CI system would obey, is escaped as JSON. Its own
/// line breaks stay, and a program reads the same values.
pub fn json(document: &str) -> String {
    // In JSON the ASCII ones are between values alone, where an escape would be wrong.
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

/// What a text is written in, and so how a character in it is escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// Also Markdown, CSV, and the comments of YAML.
    Plain,
    Json,
    /// HTML and XML.
    Markup,
    /// Workflow commands of GitHub, of which every line is one: the values in them are escaped.
    Commands,
}

/// The text without anything in it that a CI system obeys.
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

/// Whether a text ends in `##` and a word, which may be empty.
fn follows_marker(before: &str) -> bool {
    before.trim_end_matches(char::is_alphanumeric).ends_with("##")
}

/// Whether `::` is at this byte, and only white space before it in its line.
fn starts_command(text: &str, at: usize) -> bool {
    let before = text[..at].trim_end_matches(|c: char| c.is_whitespace() && c != '\n' && c != '\r');
    text[at..].starts_with("::") && (before.is_empty() || before.ends_with(['\n', '\r']))
}

/// The text with the characters at these places replaced.
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
