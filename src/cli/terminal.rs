//! Standard error as a terminal to draw a line of progress on, a little narrower than it is.
//!
//! A drawn line is filled up to its end. What a terminal shows of Ctrl-C (`^C`) would then fall on the next line, and the one that
//! is cleared would be that: so there is room left for it.

use std::io;

use console::Term;
use indicatif::TermLike;

/// `^C`, and what may be between it and the line.
const ROOM: u16 = 4;

#[derive(Debug)]
pub(super) struct Narrow(Term);

impl Narrow {
    pub(super) fn stderr() -> Self {
        Self(Term::buffered_stderr())
    }
}

impl TermLike for Narrow {
    fn width(&self) -> u16 {
        self.0.size().1.saturating_sub(ROOM).max(1)
    }

    fn height(&self) -> u16 {
        self.0.size().0
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_up(n)
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_down(n)
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_right(n)
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_left(n)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.0.write_line(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Whether the terminal takes links (OSC 8), as far as its variables tell; `FORCE_HYPERLINK` overrides them.
pub(super) fn takes_links(variable: impl Fn(&str) -> Option<String>) -> bool {
    if let Some(forced) = variable("FORCE_HYPERLINK") {
        return forced != "0" && !forced.is_empty();
    }
    let is_one_of = |name: &str, known: &[&str]| {
        variable(name).is_some_and(|value| known.iter().any(|known| value.contains(known)))
    };
    let has_new_vte =
        variable("VTE_VERSION").is_some_and(|version| version.parse().is_ok_and(|it: u32| it >= 5000));
    has_new_vte
        || variable("WT_SESSION").is_some()
        || variable("KONSOLE_VERSION").is_some()
        || is_one_of("TERM_PROGRAM", &["iTerm.app", "WezTerm", "vscode", "ghostty"])
        || is_one_of("TERM", &["kitty", "alacritty", "foot"])
}
