//! Which words of a value changed. How they are marked is each format's business.

use similar::ChangeTag;
use similar::utils::diff_unicode_words;

/// A part of a value, as it stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word<'a> {
    pub text: &'a str,
    /// It is on this side alone.
    pub changed: bool,
}

/// Two values, word by word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words<'a> {
    pub old: Vec<Word<'a>>,
    pub new: Vec<Word<'a>>,
    /// They have a word in common. Where every word is another one, marks without colour would only be noise.
    pub alike: bool,
}

/// Values that are longer than this together, in bytes, are not compared: what they have in common takes long to find and
/// tells nobody anything.
const LONGEST: usize = 20_000;

pub(super) fn changed_words<'a>(old: &'a str, new: &'a str) -> Words<'a> {
    if old.len() + new.len() > LONGEST {
        let whole = |text| vec![Word { text, changed: true }];
        return Words { old: whole(old), new: whole(new), alike: false };
    }
    let words = diff_unicode_words(similar::Algorithm::Myers, old, new);
    let side = |own: ChangeTag| {
        let shown = words.iter().filter(|(tag, _)| *tag == own || *tag == ChangeTag::Equal);
        shown.map(|(tag, text)| Word { text, changed: *tag != ChangeTag::Equal }).collect()
    };
    Words {
        old: side(ChangeTag::Delete),
        new: side(ChangeTag::Insert),
        alike: words
            .iter()
            .any(|(tag, text)| *tag == ChangeTag::Equal && text.chars().any(char::is_alphanumeric)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_can_be_put_together_again() {
        for (old, new) in
            [("shop for prod", "shop for test"), ("我的商店", "我的书店"), ("", "x"), ("same", "same")]
        {
            let words = changed_words(old, new);
            let text = |side: &[Word<'_>]| side.iter().map(|word| word.text).collect::<String>();
            assert_eq!((text(&words.old), text(&words.new)), (old.into(), new.into()));
        }
        let words = changed_words("shop for prod", "shop for test");
        let changed: Vec<&str> = words.new.iter().filter(|word| word.changed).map(|word| word.text).collect();
        assert_eq!(changed, ["test"]);
        assert!(words.alike);
    }

    #[test]
    fn a_value_too_long_to_compare_changed_as_a_whole() {
        let (old, new) = ("a ".repeat(LONGEST), "b ".repeat(LONGEST));
        let words = changed_words(&old, &new);
        assert_eq!((words.old.len(), words.alike), (1, false));
    }
}
