//! Scalars that run over several lines: which of their white space is theirs.

use super::token::{Kind, Token};

/// What stands behind `|` or `>`.
pub(super) struct Header<'t> {
    text: &'t str,
    /// How far its lines go in, when it says so.
    indicator: Option<usize>,
    /// `+`: the line breaks at its end are part of it.
    pub keep: bool,
}

impl<'t> Header<'t> {
    pub(super) fn read(text: &'t str) -> Self {
        Self {
            text,
            indicator: text.bytes().find(u8::is_ascii_digit).map(|digit| usize::from(digit - b'0')),
            keep: text.contains('+'),
        }
    }

    /// The header of the scalar when its lines go in by `step`.
    pub(super) fn written(&self, step: usize) -> String {
        match self.indicator {
            Some(old) => self.text.replacen(&old.to_string(), &step.to_string(), 1),
            None => self.text.to_owned(),
        }
    }
}

pub(super) struct Body<'t> {
    /// Without the white space that only says that they belong to it.
    pub lines: Vec<&'t str>,
    /// Empty lines follow that are no part of it.
    pub blank: bool,
}

/// The lines of a block scalar in a collection that stood at `column`.
pub(super) fn body<'t>(text: &'t str, header: &Header<'_>, column: usize) -> Body<'t> {
    let spaces = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let indent = match header.indicator {
        Some(indicator) => column + indicator,
        None => text.lines().find(|line| spaces(line) < line.len()).map_or(usize::MAX, spaces),
    };
    // A line with no more than its share of spaces is an empty one.
    let mut lines: Vec<&str> = text
        .lines()
        .map(|line| match line.get(indent.min(line.len())..) {
            Some(rest) if spaces(line) >= indent => rest,
            Some(_) | None if spaces(line) == line.len() => "",
            Some(_) | None => line.trim_start_matches(' '),
        })
        .collect();
    let mut blank = false;
    // Less than its share at the very end, without a line break, is no line; the parser takes as much as its share for one.
    let end = text.rsplit('\n').next().unwrap_or_default();
    if spaces(end) == end.len() && (1..indent).contains(&end.len()) {
        lines.pop();
    }
    while !header.keep && lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
        blank = true;
    }
    Body { lines, blank }
}

/// The lines of a plain or quoted scalar. White space around a line break is none of its text, unless it is escaped.
pub(super) fn folded<'t>(token: &Token<'t>) -> impl Iterator<Item = &'t str> {
    let quoted = token.kind == Kind::Quoted && token.text.starts_with('"');
    let count = token.text.matches('\n').count();
    token.text.split('\n').enumerate().map(move |(at, line)| {
        let line = if at == 0 { line } else { line.trim_start_matches([' ', '\t']) };
        let short = line.trim_end_matches([' ', '\t']);
        let escapes = short.len() - short.trim_end_matches('\\').len();
        if at == count || quoted && escapes % 2 == 1 { line } else { short }
    })
}
