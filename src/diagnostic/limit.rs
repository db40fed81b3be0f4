//! How many diagnostics are shown at once.
//!
//! A short text can hold tens of thousands of problems, each shown with its lines: a manifest of some kilobytes would fill a
//! pipeline's log, or a reader's screen, with megabytes. Whoever mends the first hundred sees the next.

use super::{Diagnostic, render};
use crate::lang::text;

/// So many are shown, and the rest is counted.
pub const MOST: usize = 100;

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
            let left = if one.is_error() {
                &mut errors
            } else {
                &mut warnings
            };
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
        let message = text!("not shown: {what} more", "未显示：另有{what:#}");
        let make = if self.left_out.iter().any(|one| one.is_error()) {
            Diagnostic::error
        } else {
            Diagnostic::warning
        };
        let total = self.shown.len() + count;
        Some(make("more-problems", message).help(text!(
            "{MOST} of {total} are shown: mend those, and run it again",
            "共 {total} 个，只显示 {MOST} 个：请先解决这些问题，再重新运行"
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
    use crate::diagnostic::assert_chinese;
    use crate::lang::Text;

    fn some(errors: usize, warnings: usize) -> Vec<Diagnostic> {
        let warning = |_| Diagnostic::warning("w", Text::same("m"));
        let error = |_| Diagnostic::error("e", Text::same("m"));
        let warnings = (0..warnings).map(warning);
        warnings.chain((0..errors).map(error)).collect()
    }

    #[test]
    fn a_hundred_are_shown_errors_first_and_the_rest_is_counted() {
        for (errors, warnings, shown, says) in [
            (0, 0, (0, 0), None),
            (40, 60, (40, 60), None),
            (40, 61, (40, 60), Some("not shown: 1 warning more")),
            (100, 1, (100, 0), Some("not shown: 1 warning more")),
            (
                101,
                70,
                (100, 0),
                Some("not shown: 1 error, 70 warnings more"),
            ),
        ] {
            let all = some(errors, warnings);
            let limited = Limited::of(&all);
            let of_errors = limited.shown.iter().filter(|one| one.is_error()).count();
            assert_eq!((of_errors, limited.shown.len() - of_errors), shown);
            let rest = limited.rest();
            let message = rest.as_ref().map(|rest| rest.message.en());
            assert_eq!(message, says);
            assert_eq!(
                limited.left_out().unwrap_or(0) + limited.shown.len(),
                errors + warnings
            );
            if let Some(rest) = rest {
                assert_eq!(rest.is_error(), errors > 100);
                assert_chinese(&[rest]);
            }
        }
    }
}
