//! Workflow commands of GitHub Actions: an annotation for everything that a person has to know.
//!
//! The format is GitHub's: <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>. A value
//! ends where its escaping says so, and nowhere else, so that nothing that comes from a manifest can be a command.

use std::fmt::Write as _;

use super::page::{Columns, Finding, Level, Page, Setting};
use super::text::clean;

/// A command for each finding, a line each, and one that says how it ended.
pub fn page(page: &Page, setting: &Setting) -> String {
    let mut out = String::new();
    for finding in &page.findings {
        command(&mut out, finding, setting);
    }
    let head = page.summary.first().map_or("", String::as_str);
    let title = property(&format!("postpay {}", page.kind.name()));
    let _ = writeln!(out, "::notice title={title}::{}", message(head));
    out
}

fn command(out: &mut String, finding: &Finding, setting: &Setting) {
    let Finding {
        level,
        code,
        message: said,
        help,
        place,
        entry: _,
    } = finding;
    let name = match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "notice",
    };
    let _ = write!(out, "::{name} ");
    if let Some(place) = place {
        let file = property(&place.from_root(setting));
        let _ = write!(out, "file={file},line={},", place.line);
        if let Some(Columns {
            column,
            end_line,
            end_column,
        }) = place.span
        {
            let _ = write!(out, "endLine={end_line},");
            // GitHub takes columns for one line alone. Its last column is the last character's.
            if end_line == place.line {
                let last = end_column.saturating_sub(1).max(column);
                let _ = write!(out, "col={column},endColumn={last},");
            }
        }
    }
    let _ = write!(out, "title={}::", property(&format!("postpay: {code}")));
    let lines = std::iter::once(said).chain(help);
    let lines: Vec<String> = lines.map(|line| message(line)).collect();
    let _ = writeln!(out, "{}", lines.join("%0A"));
}

/// The text of a command.
fn message(text: &str) -> String {
    clean(text)
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// The value of one of its properties.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::page::tests::{hostile, sample};

    #[test]
    fn a_page_is_a_command_a_line() {
        insta::assert_snapshot!(page(&sample(), &Setting::default()));
    }

    #[test]
    fn nothing_ends_a_command_or_a_property_early() {
        assert_eq!(message("50%\r\n::error::x"), "50%25\\u{d}\\u{a}::error::x");
        assert_eq!(property("a,b:c%"), "a%2Cb%3Ac%25");
        let text = page(&hostile(), &Setting::default());
        for line in text.lines() {
            assert!(
                ["::error ", "::warning ", "::notice "]
                    .iter()
                    .any(|start| line.starts_with(start)),
                "{line}"
            );
            assert!(!line.contains('\u{0}'), "{line}");
        }
    }

    #[test]
    fn a_file_is_named_from_the_root_of_the_repository() {
        let setting = Setting {
            folder: "infra/shop".to_owned(),
            ..Setting::default()
        };
        let text = page(&sample(), &setting);
        assert!(
            text.contains("file=infra/shop/environments/shop.yaml,line=12,"),
            "{text}"
        );
    }
}
