//! Files in another layout: their paths, a line each, and what changes in them.

use std::fmt::Write as _;

use similar::{ChangeTag, TextDiff};

use super::Look;
use crate::report::formatted::Formatted;
use crate::report::text::clean;

/// Lines around a change that show where it is.
const CONTEXT: usize = 3;

/// The path of every file that changes; with `diff`, what changes below it.
pub fn files(files: &[Formatted], diff: bool, look: Look) -> String {
    let mut out = String::new();
    for file in files.iter().filter(|file| file.changed()) {
        let _ = writeln!(out, "{}", clean(&file.path));
        if diff {
            out.push_str(&unified(file, look));
        }
    }
    out
}

/// The changes alone, as `diff -u` shows them.
pub fn unified(file: &Formatted, look: Look) -> String {
    let Formatted { path, old, new, written: _ } = file;
    let path = clean(path);
    let diff = TextDiff::from_lines(old.as_str(), new.as_str());
    let mut out = String::new();
    let _ = writeln!(out, "{}", look.strong(format!("--- old/{path}")));
    let _ = writeln!(out, "{}", look.strong(format!("+++ new/{path}")));
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        let _ = writeln!(out, "{}", look.faint(hunk.header()));
        for change in hunk.iter_changes() {
            let text = change.value();
            let text = clean(text.strip_suffix('\n').unwrap_or(text));
            let _ = match change.tag() {
                ChangeTag::Equal => writeln!(out, " {text}"),
                ChangeTag::Delete => writeln!(out, "{}", look.gone(format!("-{text}"))),
                ChangeTag::Insert => writeln!(out, "{}", look.good(format!("+{text}"))),
            };
            if change.missing_newline() {
                let _ = writeln!(out, "\\ No newline at end of file");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(old: &str, new: &str) -> Formatted {
        Formatted { path: "a.yaml".to_owned(), old: old.to_owned(), new: new.to_owned(), written: true }
    }

    #[test]
    fn a_diff_is_what_diff_shows_and_hides_nothing() {
        let changed = file("a:  1\r\nb: 2\nc: 3", "a: 1\nb: 2\nc: 3\n");
        insta::assert_snapshot!(files(&[changed], true, Look::PLAIN), @r"
        a.yaml
        --- old/a.yaml
        +++ new/a.yaml
        @@ -1,3 +1,3 @@
        -a:  1\r
        +a: 1
         b: 2
        -c: 3
        \ No newline at end of file
        +c: 3
        ");
    }

    #[test]
    fn colours_only_when_asked_and_nothing_for_what_stays() {
        let changed = file("a:  1\n", "a: 1\n");
        assert!(unified(&changed, Look { color: true, ..Look::PLAIN }).contains('\u{1b}'));
        assert!(!unified(&changed, Look::PLAIN).contains('\u{1b}'));
        assert_eq!(files(&[file("a: 1\n", "a: 1\n")], true, Look::PLAIN), "");
    }
}
