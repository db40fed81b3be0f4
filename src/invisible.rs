//! Which characters of somebody else's text are not shown as they stand, and how they are shown instead.
//!
//! A terminal obeys some, and draws nothing, or a blank, or the line the other way round, for others. Whoever reads a plan would agree
//! to something that they did not see. So there is one list of them, and every room that shows or takes a text asks here.
//!
//! Two of them belong to what people write, and stay where they do: U+FE0F directly behind a symbol, and U+200D directly
//! between two, which draw an emoji. There they stand beside something that is seen, one at a time, so that nothing can be spelt
//! with them; anywhere else they are as unseen as the rest.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Has the symbol before it drawn in colour.
const COLOURED: char = '\u{fe0f}';
/// Makes one emoji of the two around it.
const JOINER: char = '\u{200d}';

/// Whether a character can not be seen, moves what is around it, or passes for a blank.
///
/// These are the controls, the lines' and paragraphs' ends, what Unicode lets be ignored when it is drawn
/// (Default_Ignorable_Code_Point), the marks of annotations and hieroglyphs, the blanks that are not as wide as U+0020 or U+3000,
/// what is blank without being a space, and what is no character at all.
const fn is_unseen(character: char) -> bool {
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

/// Those of a text that are not shown as they stand, with the byte that each begins at.
pub fn unseen(text: &str) -> impl Iterator<Item = (usize, char)> + '_ {
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
                character => !is_unseen(character),
            };
            if !is_drawn {
                return Some((at, character));
            }
        }
    })
}

/// The text with everything in it to be seen: what is not stands as its escape, `\n` or `\u{202e}`.
pub fn shown(text: &str) -> Cow<'_, str> {
    replaced(text, |safe, character| {
        safe.extend(character.escape_default());
    })
}

/// As [`shown`], for a document of JSON: what is unseen in its texts is escaped there, so that they are the same to
/// whoever reads the document. Its own line breaks stay.
pub fn shown_json(document: &str) -> Cow<'_, str> {
    replaced(document, |safe, character| {
        // In JSON these stand between values alone, where an escape would be wrong.
        if character.is_ascii() && character != '\u{7f}' {
            safe.push(character);
            return;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing to a String cannot fail.
            let _ = write!(safe, "\\u{unit:04x}");
        }
    })
}

fn replaced(text: &str, replace: impl Fn(&mut String, char)) -> Cow<'_, str> {
    let mut all = unseen(text).peekable();
    if all.peek().is_none() {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 32);
    let mut from = 0;
    for (at, character) in all {
        safe.push_str(text.get(from..at).unwrap_or_default());
        replace(&mut safe, character);
        from = at + character.len_utf8();
    }
    safe.push_str(text.get(from..).unwrap_or_default());
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests;
