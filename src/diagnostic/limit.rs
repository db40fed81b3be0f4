//! Limits how many diagnostics are shown.
//!
//! A manifest of a few kilobytes can have tens of thousands of problems, which would fill a log with
//! megabytes. Fixing the first hundred reveals the next.

use std::collections::HashMap;

use super::{Diagnostic, render};
use crate::i18n::{Text, text};

/// The number of diagnostics shown; the rest is counted.
pub const MOST: usize = 100;

/// The number of places shown for a repeated warning.
const PLACES: usize = 3;

/// Merges repeated warnings into the first, with their count and the first places.
pub fn grouped(diagnostics: &[Diagnostic]) -> Vec<Diagnostic> {
    let mut alike: HashMap<&str, Vec<&Diagnostic>> = HashMap::new();
    let repeats = |it: &Diagnostic| !it.is_error() && !it.labels.is_empty();
    for it in diagnostics.iter().filter(|it| repeats(it)) {
        alike.entry(it.code).or_default().push(it);
    }
    alike.retain(|_, all| all.len() > PLACES);
    let merged = |it: &Diagnostic| match alike.get(it.code) {
        Some(all) if repeats(it) => {
            let is_first = all.first().is_some_and(|first| std::ptr::eq(*first, it));
            is_first.then(|| merge(it, all))
        }
        Some(_) | None => Some(it.clone()),
    };
    diagnostics.iter().filter_map(merged).collect()
}

fn merge(first: &Diagnostic, all: &[&Diagnostic]) -> Diagnostic {
    let (n, message) = (all.len(), &first.message);
    let mut merged = Diagnostic::warning(first.code, text!("{message} ({n} such warnings)", message, n));
    for other in &all[..PLACES] {
        if let Some(place) = other.labels.first() {
            let differs = other.message != first.message;
            let text = if differs { other.message.clone() } else { Text::default() };
            merged = merged.at(&place.span, text);
        }
    }
    merged.help.clone_from(&first.help);
    merged.help(text!("the first {PLACES} places are shown", PLACES))
}

/// The diagnostics to show.
#[derive(Debug)]
pub struct Limited<'a> {
    /// In order, errors before warnings.
    pub shown: Vec<&'a Diagnostic>,
    left_out: Vec<&'a Diagnostic>,
}

impl<'a> Limited<'a> {
    pub fn new(diagnostics: &'a [Diagnostic]) -> Self {
        let errors = diagnostics.iter().filter(|it| it.is_error()).count();
        let (mut errors, mut warnings) = (errors.min(MOST), MOST.saturating_sub(errors));
        let (shown, left_out) = diagnostics.iter().partition(|it| {
            let left = if it.is_error() { &mut errors } else { &mut warnings };
            let fits = *left > 0;
            *left = left.saturating_sub(1);
            fits
        });
        Self { shown, left_out }
    }

    /// Returns how many are not shown; None for none.
    pub fn left_out(&self) -> Option<usize> {
        Some(self.left_out.len()).filter(|left_out| *left_out > 0)
    }

    /// Returns a message with the number that is not shown.
    pub fn rest(&self) -> Option<Diagnostic> {
        let count = self.left_out()?;
        let what = render::summary(self.left_out.iter().copied());
        let message = text!("not shown: {what} more", what);
        let make = if self.left_out.iter().any(|it| it.is_error()) {
            Diagnostic::error
        } else {
            Diagnostic::warning
        };
        let total = self.shown.len() + count;
        Some(make("more-problems", message).help(text!(
            "{MOST} of {total} are shown: mend those, and run it again",
            MOST,
            total
        )))
    }

    /// Returns the shown diagnostics, followed by [`Self::rest`].
    pub fn into_all(self) -> Vec<Diagnostic> {
        let rest = self.rest();
        self.shown.into_iter().cloned().chain(rest).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{SourceFile, Span, assert_chinese};

    fn some(errors: usize, warnings: usize) -> Vec<Diagnostic> {
        let warning = |_| Diagnostic::warning("w", Text::same("m"));
        let error = |_| Diagnostic::error("e", Text::same("m"));
        let warnings = (0..warnings).map(warning);
        warnings.chain((0..errors).map(error)).collect()
    }

    #[test]
    fn repeated_warning_is_shown_once_with_its_count_and_first_places() {
        let file = std::sync::Arc::new(SourceFile::new("m.yaml", "abcdefgh"));
        let at = |diagnostic: Diagnostic, at: usize| {
            diagnostic.on(&Span { file: std::sync::Arc::clone(&file), bytes: at..at + 1 })
        };
        let long = |n| Diagnostic::warning("long", Text::new(format!("{n} long"), format!("{n} 长")));
        let mut all: Vec<Diagnostic> = (0..5).map(|n| at(long(n / 2), n)).collect();
        all.insert(1, at(Diagnostic::error("long", Text::new("e", "错")), 7));
        all.extend([at(Diagnostic::warning("rare", Text::new("r", "少")), 6); 1]);
        let shown = grouped(&all);
        let messages: Vec<&str> = shown.iter().map(|it| it.message.en()).collect();
        assert_eq!(messages, ["0 long (5 such warnings)", "e", "r"]);
        let places: Vec<_> = shown[0].labels.iter().map(|it| (it.span.bytes.start, it.text.en())).collect();
        assert_eq!(places, [(0, ""), (1, ""), (2, "1 long")]);
        assert_chinese(&shown[..1]);
        // With no more than three places, they stay separate.
        assert_eq!(grouped(&all[2..5]), all[2..5]);
    }

    #[test]
    fn one_hundred_are_shown_errors_first_and_the_rest_is_counted() {
        for (errors, warnings, shown, says) in [
            (0, 0, (0, 0), None),
            (40, 60, (40, 60), None),
            (40, 61, (40, 60), Some("not shown: 1 warning more")),
            (100, 1, (100, 0), Some("not shown: 1 warning more")),
            (101, 70, (100, 0), Some("not shown: 1 error, 70 warnings more")),
        ] {
            let all = some(errors, warnings);
            let limited = Limited::new(&all);
            let of_errors = limited.shown.iter().filter(|it| it.is_error()).count();
            assert_eq!((of_errors, limited.shown.len() - of_errors), shown);
            let rest = limited.rest();
            let message = rest.as_ref().map(|rest| rest.message.en());
            assert_eq!(message, says);
            assert_eq!(limited.left_out().unwrap_or(0) + limited.shown.len(), errors + warnings);
            if let Some(rest) = rest {
                assert_eq!(rest.is_error(), errors > 100);
                assert_chinese(&[rest]);
            }
        }
    }
}
