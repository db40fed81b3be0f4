//! From time to place: where a moment is on the picture of a run, and which moments its axis names.

use std::fmt;
use std::time::Duration;

/// The width of the picture is the time of the run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    seconds: f64,
}

/// A part of the width, written as `12.34%`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(super) struct Percent(pub f64);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.2}", self.0);
        let short = text.trim_end_matches('0').trim_end_matches('.');
        write!(f, "{short}%")
    }
}

/// Seconds between two labels on the axis; the first that leaves few enough is used.
const STEPS: &[f64] = &[
    0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0,
    1800.0, 3600.0, 7200.0, 14400.0, 28800.0,
];

/// The most labels that fit on a phone.
const NAMES: f64 = 6.0;

impl Scale {
    pub(super) fn new(whole: Duration) -> Self {
        Self { seconds: whole.as_secs_f64().max(0.01) }
    }

    pub(super) fn place(self, moment: Duration) -> Percent {
        Percent((moment.as_secs_f64() / self.seconds * 100.0).clamp(0.0, 100.0))
    }

    /// Returns the width from one moment to another, at least as much as a browser draws.
    pub(super) fn width(self, from: Duration, to: Duration) -> Percent {
        let length = to.saturating_sub(from).as_secs_f64() / self.seconds * 100.0;
        Percent(length.clamp(0.05, 100.0))
    }

    /// Returns the labelled moments of the axis, from 0.
    pub(super) fn names(self) -> Vec<(Duration, String)> {
        let fits = |step: &&f64| self.seconds / **step <= NAMES;
        let step = STEPS.iter().find(fits).copied();
        let step = step.unwrap_or_else(|| (self.seconds / NAMES / 3600.0).ceil() * 3600.0);
        let mut names = Vec::new();
        let mut n = 0.0;
        // A little more, because of rounding.
        while n * step <= self.seconds * 1.000_001 {
            names.push((Duration::from_secs_f64(n * step), name(n * step, step)));
            n += 1.0;
        }
        names
    }
}

/// Returns a label in the unit of the step: `0.5 s`, `10 s`, `2 min`, `1.5 h`.
fn name(seconds: f64, step: f64) -> String {
    let (value, unit) = if step < 60.0 {
        (seconds, "s")
    } else if step < 3600.0 {
        (seconds / 60.0, "min")
    } else {
        (seconds / 3600.0, "h")
    };
    let text = format!("{value:.2}");
    let short = text.trim_end_matches('0').trim_end_matches('.');
    format!("{short} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_names_few_round_moments() {
        let names = |seconds: f64| {
            let scale = Scale::new(Duration::from_secs_f64(seconds));
            let names = scale.names().into_iter().map(|(_, name)| name);
            names.collect::<Vec<_>>().join(", ")
        };
        assert_eq!(names(0.0), "0 s, 0.01 s");
        assert_eq!(names(0.3), "0 s, 0.05 s, 0.1 s, 0.15 s, 0.2 s, 0.25 s, 0.3 s");
        assert_eq!(names(4.2), "0 s, 1 s, 2 s, 3 s, 4 s");
        assert_eq!(names(95.0), "0 s, 20 s, 40 s, 60 s, 80 s");
        assert_eq!(names(2520.0), "0 min, 10 min, 20 min, 30 min, 40 min");
        assert_eq!(names(1_000_000.0), "0 h, 47 h, 94 h, 141 h, 188 h, 235 h");
    }

    #[test]
    fn every_moment_is_on_the_picture() {
        let scale = Scale::new(Duration::from_secs(4));
        let at = |ms| scale.place(Duration::from_millis(ms)).to_string();
        assert_eq!([at(0), at(500), at(4000), at(9000)], ["0%", "12.5%", "100%", "100%"]);
        let moment = Duration::from_millis(500);
        assert_eq!(scale.width(moment, moment).to_string(), "0.05%");
    }
}
