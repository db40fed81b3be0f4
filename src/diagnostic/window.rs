//! The lines around labels that an excerpt shows.

use std::ops::Range;

use super::{Label, SourceFile, Span};
use crate::i18n::Lang;
use crate::sanitize::invisible;

/// Labels at most this many lines apart share an excerpt.
const NEAR: usize = 4;
/// A line longer than this, in bytes, is cut around its label.
const LONG: usize = 240;
/// How much of it is kept before the label, in bytes.
const BEFORE: usize = 80;

/// Lines of a file with their marks.
pub(super) struct Window<'a> {
    /// The place of its first label.
    pub span: &'a Span,
    /// Starts at 1.
    pub first_line: usize,
    pub text: String,
    pub marks: Vec<Mark<'a>>,
    /// Differs from the file: part of a long line is omitted, or an invisible character escaped.
    pub recount: bool,
}

pub(super) struct Mark<'a> {
    /// In the window's text.
    pub bytes: Range<usize>,
    pub label: &'a str,
    pub primary: bool,
    at: usize,
}

/// Returns the windows for all labels of a diagnostic; the first contains the first label.
pub(super) fn around(labels: &[Label], lang: Lang) -> Vec<Window<'_>> {
    let mut groups: Vec<Vec<(usize, &Label)>> = Vec::new();
    for (at, label) in labels.iter().enumerate() {
        let line = line_of(label);
        let near = groups.iter_mut().find(|group| {
            group.iter().any(|(_, other)| {
                other.span.file.path == label.span.file.path && line_of(other).abs_diff(line) <= NEAR
            })
        });
        match near {
            Some(group) => group.push((at, label)),
            None => groups.push(vec![(at, label)]),
        }
    }
    groups.iter().filter_map(|group| window(group, lang)).collect()
}

fn line_of(label: &Label) -> usize {
    label.span.file.line_of(label.span.bytes.start)
}

fn window<'a>(group: &[(usize, &'a Label)], lang: Lang) -> Option<Window<'a>> {
    let (_, leader) = group.first()?;
    let file = &leader.span.file;
    let first_line = group.iter().map(|(_, label)| line_of(label)).min()?;
    let last_line = group.iter().map(|(_, label)| line_of(label)).max()?;
    let mut text = String::new();
    let mut marks = Vec::new();
    let mut recount = false;
    for line in first_line..=last_line {
        let here = || group.iter().filter(|(_, label)| line_of(label) == line);
        let whole = line_bytes(file, line);
        let kept = kept(file, &whole, here().next().map(|(_, label)| label));
        let escaped = Escaped::new(&file.text[kept.clone()]);
        recount |= kept != whole || !escaped.escapes.is_empty();
        if kept.start > whole.start {
            text.push('…');
        }
        let offset = text.len();
        text.push_str(&escaped.text);
        if kept.end < whole.end {
            text.push('…');
        }
        text.push('\n');
        for (at, label) in here() {
            let into = |byte: usize| offset + escaped.position(byte.clamp(kept.start, kept.end) - kept.start);
            marks.push(Mark {
                bytes: into(label.span.bytes.start)..into(label.span.bytes.end),
                label: label.text.in_lang(lang),
                primary: *at == 0,
                at: *at,
            });
        }
    }
    // The header of the excerpt shows the place of the first mark.
    marks.sort_by_key(|mark| mark.at);
    Some(Window { span: &leader.span, first_line, text, marks, recount })
}

/// Returns the bytes of a line without its line break.
fn line_bytes(file: &SourceFile, line: usize) -> Range<usize> {
    let start = file.line_start(line);
    let end = file.line_start(line + 1);
    let text = file.text.get(start..end).unwrap_or_default();
    start..start + text.trim_end_matches(['\r', '\n']).len()
}

fn kept(file: &SourceFile, line: &Range<usize>, label: Option<&&Label>) -> Range<usize> {
    let at = label.map_or(line.start, |label| label.span.bytes.start);
    around_byte(file, line, at)
}

/// Returns the line that a place starts in, or the part of a long one around it.
pub(super) fn line_around(span: &Span) -> Range<usize> {
    let line = span.file.line_of(span.bytes.start);
    let line = line_bytes(&span.file, line);
    around_byte(&span.file, &line, span.bytes.start)
}

fn around_byte(file: &SourceFile, line: &Range<usize>, at: usize) -> Range<usize> {
    if line.len() <= LONG {
        return line.clone();
    }
    let start = floor(&file.text, at.saturating_sub(BEFORE).max(line.start));
    let end = floor(&file.text, (start + LONG).min(line.end));
    start..end
}

/// Returns the character boundary at or before `byte`.
fn floor(text: &str, byte: usize) -> usize {
    (0..=byte).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// Part of a line with its invisible characters escaped.
struct Escaped {
    text: String,
    /// Where an escape was inserted, and how much longer it is than the character.
    escapes: Vec<(usize, usize)>,
}

impl Escaped {
    fn new(part: &str) -> Self {
        let mut text = String::with_capacity(part.len());
        let mut escapes = Vec::new();
        let mut from = 0;
        // A tab is drawn as spaces.
        for (at, character) in invisible(part).filter(|(_, character)| *character != '\t') {
            text.push_str(&part[from..at]);
            text.extend(character.escape_default());
            let (before, after) = (character.len_utf8(), character.escape_default().count());
            escapes.push((at, after - before));
            from = at + before;
        }
        text.push_str(&part[from..]);
        Self { text, escapes }
    }

    /// Returns where a byte of the part is shown.
    fn position(&self, byte: usize) -> usize {
        let before = self.escapes.iter().take_while(|(at, _)| *at < byte);
        byte + before.map(|(_, more)| more).sum::<usize>()
    }
}
