//! Checks that a reformatted text has the same content, before it is written.

use std::iter::Peekable;
use std::str::Chars;
use std::sync::Arc;

use super::lex::lex;
use super::token::Kind;
use crate::diagnostic::SourceFile;
use crate::i18n::Text;
use crate::manifest::build::parse;
use crate::manifest::tree::Document;

const VALUE: Text = Text::fixed("a key or a value would change");
const COMMENT: Text = Text::fixed("a comment would be lost or changed");
const LETTER: Text = Text::fixed("more than its white space would change");

/// Checks that `new` has the same keys and values as `old` and its documents, in the same order, with the
/// same types and aliases, the same comments, and the same visible characters.
pub(super) fn check(
    documents: &[Document],
    old: &str,
    new: &str,
    file: &Arc<SourceFile>,
) -> Result<(), Text> {
    let parsed = parse(&Arc::new(SourceFile::new(file.path(), new)));
    let alike = parsed.diagnostics.is_empty()
        && documents.len() == parsed.documents.len()
        && documents.iter().zip(&parsed.documents).all(|(one, other)| one.has_same_content_as(other));
    if !alike {
        return Err(VALUE);
    }
    if comments(old) != comments(new) {
        return Err(COMMENT);
    }
    if !same_letters(old, new) {
        return Err(LETTER);
    }
    Ok(())
}

/// Returns the comments. None when a token is not recognised.
fn comments(text: &str) -> Option<Vec<&str>> {
    let comments = lex(text)?.into_iter().filter(|token| token.kind == Kind::Comment);
    Some(comments.map(|token| token.text.trim()).collect())
}

/// Ignores white space and, after `|` or `>`, the indentation indicator.
fn same_letters(old: &str, new: &str) -> bool {
    let mut old = old.chars().peekable();
    let mut new = new.chars().peekable();
    let mut before = ' ';
    loop {
        match (next_letter(&mut old), next_letter(&mut new)) {
            (None, None) => return true,
            (Some(one), Some(other)) => {
                let indicator =
                    matches!(before, '|' | '>' | '+' | '-') && one.is_ascii_digit() && other.is_ascii_digit();
                if one != other && !indicator {
                    return false;
                }
                before = one;
            }
            (Some(_), None) | (None, Some(_)) => return false,
        }
    }
}

fn next_letter(text: &mut Peekable<Chars<'_>>) -> Option<char> {
    text.find(|c| !matches!(c, ' ' | '\t' | '\n' | '\r'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(old: &str, new: &str) -> Result<(), Text> {
        let file = Arc::new(SourceFile::new("m.yaml", old));
        let before = parse(&file);
        assert_eq!(before.diagnostics, [], "{old}");
        check(&before.documents, old, new, &file)
    }

    #[test]
    fn white_space_may_change() {
        for (old, new) in [
            ("a:   1   # c  \nb: 2", "a: 1 # c\n\nb: 2\n"),
            ("a:\n- x\n-   y\n", "a:\n  - x\n  - y\n"),
            ("a: |4\n      x\n", "a: |2\n    x\n"),
            ("a: {b: 1,c: [x]}\n", "a: {\n  b: 1, c: [ x ]\n  }\n"),
            ("--- \na: 1\n", "---\na: 1\n"),
            ("", ""),
        ] {
            assert_eq!(checked(old, new), Ok(()), "{old:?}");
        }
    }

    #[test]
    fn content_may_not_change() {
        for (old, new, why) in [
            // Values and their types.
            ("a: 1\n", "a: 2\n", VALUE),
            ("a: 1\n", "a: '1'\n", VALUE),
            ("a: yes\nb: x\n", "b: x\na: yes\n", VALUE),
            ("a: |\n  x\n", "a: |\n   x\n   \ny\n", VALUE),
            ("a: |+\n  x\n\n", "a: |+\n  x\n", VALUE),
            ("a: |2\n    x\n", "a: |4\n    x\n", VALUE),
            ("a: |\n  x \n", "a: |\n  x\n", VALUE),
            ("a:\n  b: 1\n", "a:\nb: 1\n", VALUE),
            ("a: 1\n---\nb: 2\n", "a: 1\n", VALUE),
            ("a: 1\n", "a: [1\n", VALUE),
            ("a: &x {c: 1}\nb: *x\n", "a: {c: 1}\nb: {c: 1}\n", VALUE),
            ("a: &x {c: 1}\nb: {<<: *x}\n", "a: {c: 1}\nb: {c: 1}\n", VALUE),
            // Comments.
            ("a: 1 # c\n", "a: 1\n", COMMENT),
            ("a: 1 # c\n", "a: 1 # d\n", COMMENT),
            ("# c\na: 1\n", "# c\na: 1\n# c\n", COMMENT),
            ("# a\n# b\na: 1\n", "# b\n# a\na: 1\n", COMMENT),
            ("a: 1 # b c\n", "a: 1 # bc\n", COMMENT),
            // Other characters.
            ("a: 'x'\n", "a: \"x\"\n", LETTER),
            ("a: [x, ]\n", "a: [x]\n", LETTER),
            ("a: ~\n", "a: null\n", VALUE),
            ("a: 1\n", "---\na: 1\n", LETTER),
            ("? a\n: 1\n", "a: 1\n", LETTER),
            ("a: 1 # c\nb: 2\n", "a: 1\nb: 2 # c\n", LETTER),
        ] {
            assert_eq!(checked(old, new), Err(why), "{old:?}");
        }
    }
}
