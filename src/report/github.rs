//! Workflow commands of GitHub Actions: an annotation for every finding.
//!
//! The format is GitHub's: <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>. Values
//! are escaped, so that nothing from a manifest can be a command.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::place::Columns;
use super::text::{clean, count};
use super::view::{Context, Finding, Level, Report};
use crate::i18n::text;

/// GitHub makes annotations of the first commands of each level in a step; the others are only in the log.
const SHOWN: usize = 10;

/// Returns a command for each finding, the worst first, and one with the summary and the number of findings without an
/// annotation, which follow it.
pub fn render(report: &Report, context: &Context) -> String {
    let (mut first, mut rest) = (String::new(), String::new());
    let mut seen: BTreeMap<Level, usize> = BTreeMap::new();
    for finding in &report.findings {
        let n = seen.entry(finding.level).or_default();
        *n += 1;
        let out = if *n <= shown(finding.level) { &mut first } else { &mut rest };
        command(out, finding, context);
    }
    let head = report.summary.first().map_or("", String::as_str);
    let title = property(&format!("postpay {}", report.kind.name()));
    let mut last = message(head);
    if let Some(more) = more(&seen, report, context) {
        let _ = write!(last, "%0A{}", message(&more));
    }
    format!("{first}::notice title={title}::{last}\n{rest}")
}

/// Returns how many findings of a level have an annotation. The summary is a notice too.
const fn shown(level: Level) -> usize {
    match level {
        Level::Error | Level::Warning => SHOWN,
        Level::Note => SHOWN - 1,
    }
}

fn more(seen: &BTreeMap<Level, usize>, report: &Report, context: &Context) -> Option<String> {
    let over = seen.iter().filter_map(|(level, n)| {
        let n = n.checked_sub(shown(*level)).filter(|n| *n > 0)?;
        Some(match level {
            Level::Error => count(n, "error", "errors"),
            Level::Warning => count(n, "warning", "warnings"),
            Level::Note => count(n, "note", "notes"),
        })
    });
    let over: Vec<String> = over.collect();
    if over.is_empty() {
        return None;
    }
    let n = over.join(", ");
    let text = match &context.complete {
        Some(rest) => {
            text!("without an annotation: {n}; see {rest} and the log of this step for all of them", n, rest)
        }
        None => text!("without an annotation: {n}; see the log of this step for all of them", n),
    };
    Some(text.in_lang(report.lang).to_owned())
}

fn command(out: &mut String, finding: &Finding, context: &Context) {
    let Finding { level, code, message: what, help, place, entry: _ } = finding;
    let name = match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "notice",
    };
    let _ = write!(out, "::{name} ");
    if let Some(place) = place {
        let file = property(&context.in_repository(place));
        let _ = write!(out, "file={file},line={},", place.line);
        if let Some(Columns { column, end_line, end_column }) = place.span {
            let _ = write!(out, "endLine={end_line},");
            // GitHub takes columns only within one line. Its last column is that of the last character.
            if end_line == place.line {
                let last = end_column.saturating_sub(1).max(column);
                let _ = write!(out, "col={column},endColumn={last},");
            }
        }
    }
    let _ = write!(out, "title={}::", property(&format!("postpay: {code}")));
    let lines = std::iter::once(what).chain(help);
    let lines: Vec<String> = lines.map(|line| message(line)).collect();
    let _ = writeln!(out, "{}", lines.join("%0A"));
}

/// Escapes the text of a command.
fn message(text: &str) -> String {
    clean(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes the value of a property of a command.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{hostile, sample};
    use crate::sanitize::{Syntax, escape_commands};
    use proptest::prelude::*;

    #[test]
    fn a_page_is_a_command_a_line() {
        insta::assert_snapshot!(render(&sample(), &Context::default()));
    }

    #[test]
    fn nothing_ends_a_command_or_a_property_early() {
        assert_eq!(message("50%\r\n::error::x"), r"50%25\r\n::error::x");
        assert_eq!(property("a,b:c%"), "a%2Cb%3Ac%25");
        let text = render(&hostile(), &Context::default());
        for line in text.lines() {
            assert!(
                ["::error ", "::warning ", "::notice "].iter().any(|start| line.starts_with(start)),
                "{line}"
            );
            assert!(!line.contains('\u{0}'), "{line}");
        }
    }

    proptest! {
        #[test]
        fn foreign_text_never_starts_a_command(
            parts in proptest::collection::vec(
                prop::sample::select(vec!["::", ":", "error", "add-mask", "%0A", "\n", "\r", "##[", ",", "=", " ", "\u{2028}"]),
                0..20,
            ),
        ) {
            let foreign = parts.concat();
            let mut it = hostile();
            for finding in &mut it.findings {
                finding.message.clone_from(&foreign);
                finding.help = vec![foreign.clone()];
                if let Some(place) = &mut finding.place {
                    place.file.clone_from(&foreign);
                }
            }
            let text = render(&it, &Context { complete: Some(foreign.clone()), ..Context::default() });
            let text = escape_commands(&text, Syntax::Commands);
            prop_assert!(!text.contains("##["), "{text}");
            for line in text.split(['\n', '\r', '\u{2028}']).filter(|line| !line.is_empty()) {
                let own = ["::error ", "::warning ", "::notice "];
                prop_assert!(own.iter().any(|own| line.starts_with(own)), "{line}");
                // The properties end where the text of the command begins.
                let (properties, _) = line[2..].split_once("::").unwrap();
                prop_assert!(!properties.contains("add-mask::"), "{line}");
            }
        }
    }

    #[test]
    fn what_github_does_not_annotate_comes_last_and_is_told_before() {
        let mut page = sample();
        let (error, note) = (page.findings[0].clone(), page.findings[4].clone());
        page.findings = vec![error; 13];
        page.findings.extend(vec![note; 10]);
        let setting = Context { complete: Some("plan.html".to_owned()), ..Context::default() };
        let text = render(&page, &setting);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 24);
        let told = "%0Awithout an annotation: 3 errors, 1 note; see plan.html ";
        assert!(lines[19].starts_with("::notice title=postpay plan::"), "{text}");
        assert!(lines[19].contains(told), "{text}");
        assert!(lines[20..23].iter().all(|line| line.starts_with("::error ")));
    }

    #[test]
    fn a_file_is_named_from_the_root_of_the_repository() {
        let setting = Context { folder: "infra/shop".to_owned(), ..Context::default() };
        let text = render(&sample(), &setting);
        assert!(text.contains("file=infra/shop/environments/shop.yaml,line=12,"), "{text}");
    }
}
