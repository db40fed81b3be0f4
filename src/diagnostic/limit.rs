//! How many diagnostics are shown at once.
//!
//! A short text can hold tens of thousands of problems, each shown with its lines: a manifest of some kilobytes would fill a
//! pipeline's log, or a reader's screen, with megabytes. Whoever mends the first hundred sees the next.

use std::collections::HashMap;

use super::{Diagnostic, render};
use crate::i18n::{Text, text};

/// So many are shown, and the rest is counted.
pub const MOST: usize = 100;

/// So many places of a warning that repeats are shown.
const PLACES: usize = 3;

/// The diagnostics, with each warning that repeats in the place of its first: with its count, and its first places.
pub fn grouped(diagnostics: &[Diagnostic]) -> Vec<Diagnostic> {
    let mut alike: HashMap<&str, Vec<&Diagnostic>> = HashMap::new();
    let repeats = |one: &Diagnostic| !one.is_error() && !one.labels.is_empty();
    for one in diagnostics.iter().filter(|one| repeats(one)) {
        alike.entry(one.code).or_default().push(one);
    }
    alike.retain(|_, all| all.len() > PLACES);
    let together = |one: &Diagnostic| match alike.get(one.code) {
        Some(all) if repeats(one) => {
            let is_first = all.first().is_some_and(|first| std::ptr::eq(*first, one));
            is_first.then(|| together(one, all))
        }
        Some(_) | None => Some(one.clone()),
    };
    diagnostics.iter().filter_map(together).collect()
}

fn together(first: &Diagnostic, all: &[&Diagnostic]) -> Diagnostic {
    let (n, message) = (all.len(), &first.message);
    let mut one = Diagnostic::warning(first.code, text!("{message} ({n} such warnings)", message, n));
    for other in &all[..PLACES] {
        if let Some(place) = other.labels.first() {
            let differs = other.message != first.message;
            let says = if differs { other.message.clone() } else { Text::default() };
            one = one.at(&place.span, says);
        }
    }
    one.help.clone_from(&first.help);
    one.help(text!("the first {PLACES} places are shown", PLACES))
}

/// Which of them are shown.
#[derive(Debug)]
pub struct Limited<'a> {
    /// In their order. Errors before warnings: a warning takes no error's place.
    pub shown: Vec<&'a Diagnostic>,
    left_out: Vec<&'a Diagnostic>,
}

impl<'a> Limited<'a> {
    pub fn of(diagnostics: &'a [Diagnostic]) -> Self {
        let errors = diagnostics.iter().filter(|one| one.is_error()).count();
        let (mut errors, mut warnings) = (errors.min(MOST), MOST.saturating_sub(errors));
        let (shown, left_out) = diagnostics.iter().partition(|one| {
            let left = if one.is_error() { &mut errors } else { &mut warnings };
            let fits = *left > 0;
            *left = left.saturating_sub(1);
            fits
        });
        Self { shown, left_out }
    }

    /// None when all are shown.
    pub fn left_out(&self) -> Option<usize> {
        Some(self.left_out.len()).filter(|left_out| *left_out > 0)
    }

    /// Says to people how many are not shown.
    pub fn rest(&self) -> Option<Diagnostic> {
        let count = self.left_out()?;
        let what = render::summary(self.left_out.iter().copied());
        let message = text!("not shown: {what} more", what);
        let make = if self.left_out.iter().any(|one| one.is_error()) {
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

    /// What is shown, and behind it how many are not.
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
    fn a_warning_that_repeats_is_shown_once_with_its_count_and_first_places() {
        let file = std::sync::Arc::new(SourceFile::new("m.yaml", "abcdefgh"));
        let at = |diagnostic: Diagnostic, at: usize| {
            diagnostic.on(&Span { file: std::sync::Arc::clone(&file), bytes: at..at + 1 })
        };
        let long = |n| Diagnostic::warning("long", Text::new(format!("{n} long"), format!("{n} 长")));
        let mut all: Vec<Diagnostic> = (0..5).map(|n| at(long(n / 2), n)).collect();
        all.insert(1, at(Diagnostic::error("long", Text::new("e", "错")), 7));
        all.extend([at(Diagnostic::warning("rare", Text::new("r", "少")), 6); 1]);
        let shown = grouped(&all);
        let messages: Vec<&str> = shown.iter().map(|one| one.message.en()).collect();
        assert_eq!(messages, ["0 long (5 such warnings)", "e", "r"]);
        let places: Vec<_> = shown[0].labels.iter().map(|it| (it.span.bytes.start, it.text.en())).collect();
        assert_eq!(places, [(0, ""), (1, ""), (2, "1 long")]);
        assert_chinese(&shown[..1]);
        // As many as have a place each are shown as they are.
        assert_eq!(grouped(&all[2..5]), all[2..5]);
    }

    #[test]
    fn a_hundred_are_shown_errors_first_and_the_rest_is_counted() {
        for (errors, warnings, shown, says) in [
            (0, 0, (0, 0), None),
            (40, 60, (40, 60), None),
            (40, 61, (40, 60), Some("not shown: 1 warning more")),
            (100, 1, (100, 0), Some("not shown: 1 warning more")),
            (101, 70, (100, 0), Some("not shown: 1 error, 70 warnings more")),
        ] {
            let all = some(errors, warnings);
            let limited = Limited::of(&all);
            let of_errors = limited.shown.iter().filter(|one| one.is_error()).count();
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
