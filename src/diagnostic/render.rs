//! Renders diagnostics as text in rustc's style.
//!
//! Excerpts are made from a few lines around each label, so a thousand problems are as fast in a long file as
//! in a short one.

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};
use anstream::adapter::strip_str;

use super::window::{self, Window};
use super::{Diagnostic, Severity, Span};
use crate::i18n::{Lang, Text, text};
use crate::sanitize::escape_invisible as visible;

/// Renders diagnostics, separated by an empty line and ending in a line break.
pub fn render(diagnostics: &[Diagnostic], color: bool, lang: Lang) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut text = String::new();
    for (at, diagnostic) in diagnostics.iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        text.push_str(&render_one(diagnostic, &renderer, lang));
        text.push('\n');
    }
    text
}

/// Returns the counts, as in `2 errors, 1 warning`; empty when there are none.
pub fn summary<'a>(diagnostics: impl IntoIterator<Item = &'a Diagnostic>) -> Text {
    let (mut errors, mut warnings) = (0_usize, 0_usize);
    for diagnostic in diagnostics {
        match diagnostic.severity {
            Severity::Error => errors += 1,
            Severity::Warning => warnings += 1,
        }
    }
    let plural = |number: usize| if number == 1 { "" } else { "s" };
    let s = plural(errors);
    let of_errors = text!("{errors} error{s}", errors, s);
    let s = plural(warnings);
    let of_warnings = text!("{warnings} warning{s}", warnings, s);
    match (errors, warnings) {
        (0, 0) => Text::default(),
        (_, 0) => of_errors,
        (0, _) => of_warnings,
        (_, _) => text!("{of_errors}, {of_warnings}", of_errors, of_warnings),
    }
}

fn render_one(diagnostic: &Diagnostic, renderer: &Renderer, lang: Lang) -> String {
    let Diagnostic { code, severity, message, labels, help } = diagnostic;
    let level = match severity {
        Severity::Error => translate_level(Level::ERROR, "错误", lang),
        Severity::Warning => translate_level(Level::WARNING, "警告", lang),
    };
    let windows = window::around(labels, lang);
    let mut group = Group::with_title(level.primary_title(visible(message.in_lang(lang))).id(*code));
    for window in &windows {
        let Window { span, first_line, text, marks, recount: _ } = window;
        let annotations = marks.iter().map(|mark| {
            let kind = if mark.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
            let label = (!mark.label.is_empty()).then(|| visible(mark.label));
            kind.span(mark.bytes.clone()).label(label)
        });
        let snippet: Snippet<'_, Annotation<'_>> = Snippet::source(text.as_str())
            .line_start(*first_line)
            .path(shown_path(span))
            .annotations(annotations);
        group = group.element(snippet);
    }
    for help in help {
        group =
            group.element(translate_level(Level::HELP, "帮助", lang).message(visible(help.in_lang(lang))));
    }
    let mut text = unify_arrows(&renderer.render(&[group]));
    for window in windows.iter().filter(|window| window.recount) {
        restore_column(window, &mut text);
    }
    text
}

/// Uses `-->` for all excerpts: a line that starts with `::` looks like a GitHub workflow command.
fn unify_arrows(text: &str) -> String {
    let line = |line: &str| match line.split_once(":::") {
        Some((before, after)) if strip_str(before).to_string().trim().is_empty() => {
            format!("{before}-->{after}")
        }
        Some(_) | None => line.to_owned(),
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

fn translate_level(level: Level<'static>, zh: &'static str, lang: Lang) -> Level<'static> {
    match lang {
        Lang::En => level,
        Lang::Zh => level.with_name(zh),
    }
}

fn shown_path(span: &Span) -> String {
    visible(&span.file.path.display().to_string()).into_owned()
}

/// Corrects the column in the header of a window that omits or escapes part of a line.
fn restore_column(window: &Window<'_>, text: &mut String) {
    let Some(mark) = window.marks.first() else {
        return;
    };
    let before = window.text.get(..mark.bytes.start).unwrap_or_default();
    let shown = before.chars().rev().take_while(|it| *it != '\n').count() + 1;
    let start = window.span.start();
    let (path, line) = (shown_path(window.span), start.line);
    let wrong = format!("{path}:{line}:{shown}");
    *text = text.replacen(&wrong, &format!("{path}:{line}:{}", start.column), 1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::SourceFile;
    use crate::sanitize::invisible;
    use std::sync::Arc;

    fn span(file: &Arc<SourceFile>, part: &str) -> Span {
        let start = file.text.find(part).unwrap();
        Span { file: Arc::clone(file), bytes: start..start + part.len() }
    }

    fn file(text: &str) -> Arc<SourceFile> {
        Arc::new(SourceFile::new("environments/a.yaml", text))
    }

    #[test]
    fn rendering_is_in_rustc_style_with_columns_in_characters() {
        let file = file("version: 1\r\nenvironments:\r\n  a: {env_alias: 商店, chanel: qq}\r\n");
        let problem = Diagnostic::error("unknown-field", Text::same("there is no field `chanel`"))
            .at(&span(&file, "chanel"), Text::same("did you mean `channel`?"))
            .help(Text::same("known here: `channel`"));
        insta::assert_snapshot!(render(&[problem], false, Lang::En), @r"
        error[unknown-field]: there is no field `chanel`
         --> environments/a.yaml:3:22
          |
        3 |   a: {env_alias: 商店, chanel: qq}
          |                        ^^^^^^ did you mean `channel`?
          |
          = help: known here: `channel`
        ");
    }

    #[test]
    fn near_places_share_an_excerpt_and_far_ones_do_not() {
        let lines: Vec<_> = (1..=100).map(|n| format!("line{n}: x")).collect();
        let here = file(&lines.join("\n"));
        let other = Arc::new(SourceFile::new("b.yaml", "first: here\n"));
        let problem = Diagnostic::warning("w", Text::same("message"))
            .at(&span(&here, "line50"), Text::same("again"))
            .at(&span(&here, "line48"), Text::same("near"))
            .at(&span(&here, "line3:"), Text::same("far"))
            .at(&span(&other, "here"), Text::same("elsewhere"));
        insta::assert_snapshot!(render(&[problem], false, Lang::En), @r"
        warning[w]: message
          --> environments/a.yaml:50:1
           |
        48 | line48: x
           | ------ near
        49 | line49: x
        50 | line50: x
           | ^^^^^^ again
           |
          --> environments/a.yaml:3:1
           |
         3 | line3: x
           | ------ far
           |
          --> b.yaml:1:8
           |
         1 | first: here
           |        ---- elsewhere
        ");
    }

    #[test]
    fn summary_is_in_both_languages() {
        let error = Diagnostic::error("e", Text::same("m"));
        let warning = Diagnostic::warning("w", Text::same("m"));
        for (run, en, zh) in [
            (vec![], "", ""),
            (vec![&error], "1 error", "1 个错误"),
            (vec![&warning, &warning], "2 warnings", "2 个警告"),
            (vec![&error, &warning, &error], "2 errors, 1 warning", "2 个错误，1 个警告"),
        ] {
            let run: Vec<_> = run.into_iter().cloned().collect();
            assert_eq!(format!("{0}|{0:#}", summary(&run)), format!("{en}|{zh}"));
        }
    }

    #[test]
    fn diagnostic_without_a_place_is_complete() {
        let problem =
            Diagnostic::error("path-not-found", Text::same("there is no `x`")).help(Text::same("look again"));
        insta::assert_snapshot!(render(&[problem], false, Lang::En), @r"
        error[path-not-found]: there is no `x`
         |
         = help: look again
        ");
    }

    #[test]
    fn control_characters_are_escaped() {
        let file = file("a: \u{9b}31m \u{1b}[31m \u{202e}\u{2028} x\n");
        let problem = Diagnostic::error("c", Text::same("bad \u{1b}[31m \u{9b} \u{202e}"))
            .at(&span(&file, "x"), Text::same("\u{7}"))
            .help(Text::same("\u{1b}]0;title\u{7}"));
        let text = render(&[problem], false, Lang::En);
        assert!(text.lines().all(|line| invisible(line).next().is_none()), "{text:?}");
        assert!(text.contains("bad \\u{1b}[31m"), "{text}");
    }

    #[test]
    fn invisible_characters_are_escaped_and_marks_stay_aligned() {
        let file = file("a: {env_alias: \"shop\u{ad}\u{e0041}\", é: ❤\u{fe0f}, chanel: qq}\n");
        let problem = Diagnostic::error("c", Text::same("bad"))
            .at(&span(&file, "chanel"), Text::same("no such"))
            .at(&span(&file, "shop\u{ad}\u{e0041}"), Text::same("this"));
        insta::assert_snapshot!(render(&[problem], false, Lang::En), @r#"
        error[c]: bad
         --> environments/a.yaml:1:33
          |
        1 | a: {env_alias: "shop\u{ad}\u{e0041}", é: ❤️, chanel: qq}
          |                 ------------------- this    ^^^^^^ no such
        "#);
        // The column in the file.
        assert_eq!(span(&file, "chanel").start().column, 33);
    }

    #[test]
    fn long_line_is_cut_around_the_label() {
        let file = file(&format!("a: {}NEEDLE{}\n", "前x".repeat(500_000), "后".repeat(9000)));
        let problem = Diagnostic::error("c", Text::same("m")).at(&span(&file, "NEEDLE"), Text::same("here"));
        let text = render(&[problem], false, Lang::En);
        assert!(text.contains("a.yaml:1:1000004"), "{text}");
        assert!(text.contains("NEEDLE"), "{text}");
        assert!(text.len() < 2000);
    }

    #[test]
    fn place_at_the_end_and_in_an_empty_file() {
        for text in ["", "a", "a\n", "商"] {
            let file = file(text);
            let end = Span { bytes: file.text.len()..file.text.len(), file };
            assert!(
                render(
                    &[Diagnostic::error("c", Text::same("m")).at(&end, Text::same("here"))],
                    false,
                    Lang::En
                )
                .contains("here")
            );
        }
    }
}
