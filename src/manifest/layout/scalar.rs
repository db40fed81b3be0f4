//! Multi-line scalars: which of their white space is part of the value.

use super::token::{Kind, Token};

/// The header of a block scalar: what follows `|` or `>`.
pub(super) struct Header<'t> {
    text: &'t str,
    /// The explicit indentation, if any.
    indicator: Option<usize>,
    /// `+`: trailing line breaks are part of the value.
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

    /// Returns the header for lines that are indented by `step`.
    pub(super) fn written(&self, step: usize) -> String {
        match self.indicator {
            Some(old) => self.text.replacen(&old.to_string(), &step.to_string(), 1),
            None => self.text.to_owned(),
        }
    }
}

pub(super) struct Body<'t> {
    /// Without the indentation.
    pub lines: Vec<&'t str>,
    /// Followed by empty lines that are not part of the value.
    pub blank: bool,
}

/// Returns the lines of a block scalar in a collection at `column` of the source.
pub(super) fn body<'t>(text: &'t str, header: &Header<'_>, column: usize) -> Body<'t> {
    let spaces = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let indent = match header.indicator {
        Some(indicator) => column + indicator,
        None => text.lines().find(|line| spaces(line) < line.len()).map_or(usize::MAX, spaces),
    };
    // A line with no more spaces than the indentation is empty.
    let mut lines: Vec<&str> = text
        .lines()
        .map(|line| match line.get(indent.min(line.len())..) {
            Some(rest) if spaces(line) >= indent => rest,
            Some(_) | None if spaces(line) == line.len() => "",
            Some(_) | None => line.trim_start_matches(' '),
        })
        .collect();
    let mut blank = false;
    // At the end of the text, fewer spaces than the indentation are no line; the parser takes exactly as many
    // for one.
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

/// Returns the lines of a plain or quoted scalar. White space around a line break is not part of it unless
/// escaped.
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
