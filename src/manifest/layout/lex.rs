//! Splits a text into tokens, comments included, each with the kind of white space before it.
//!
//! Where plain and block scalars end is taken from the parser that reads manifests, so both agree. Every
//! other token is recognised by its first character.

use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle};

use super::token::{Kind, Space, Token};
use crate::manifest::offsets::Offsets;

/// Returns the tokens of a valid YAML text; None when one is not recognised.
pub(super) fn lex(text: &str) -> Option<Vec<Token<'_>>> {
    let mut lexer =
        Lexer { text, at: 0, line: 0, depth: 0, scalars: scalars(text)?, next_scalar: 0, tokens: Vec::new() };
    while let Some(space) = lexer.space() {
        lexer.token(space)?;
    }
    mark_keys(&mut lexer.tokens);
    Some(lexer.tokens)
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    /// Where the line starts.
    line: usize,
    /// How many brackets are open.
    depth: usize,
    scalars: Vec<Scalar>,
    next_scalar: usize,
    tokens: Vec<Token<'t>>,
}

struct Scalar {
    bytes: Range<usize>,
    block: bool,
}

/// Returns the plain and block scalars as the parser sees them, with their anchors and tags.
fn scalars(text: &str) -> Option<Vec<Scalar>> {
    let offsets = Offsets::new(text);
    let mut scalars = Vec::new();
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, markers) = event.ok()?;
        let Event::Scalar(value, style, ..) = event else {
            continue;
        };
        let block = match style {
            // An empty scalar has no bytes.
            ScalarStyle::Plain if value.is_empty() => continue,
            ScalarStyle::Plain => false,
            ScalarStyle::Literal | ScalarStyle::Folded => true,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => continue,
        };
        let (start, end) = (markers.start.index(), markers.end.index());
        scalars.push(Scalar { bytes: offsets.byte(start)..offsets.byte(end), block });
    }
    Some(scalars)
}

impl<'t> Lexer<'t> {
    /// Skips white space; None at the end of the text.
    fn space(&mut self) -> Option<Space> {
        let from = self.at;
        // The start of the text, and what follows a block scalar, starts a line.
        let mut breaks = usize::from(from == self.line);
        while let Some(byte @ (b' ' | b'\t' | b'\n')) = self.peek() {
            self.at += 1;
            if byte == b'\n' {
                breaks += 1;
                self.line = self.at;
            }
        }
        (self.at < self.text.len()).then_some(match breaks {
            0 if self.at == from => Space::Nothing,
            0 => Space::Blanks,
            1 => Space::Break,
            2.. => Space::Lines,
        })
    }

    /// Reads the next token; None when it is not recognised.
    fn token(&mut self, space: Space) -> Option<()> {
        let (kind, end) = self.word(space)?;
        self.push(kind, end, space)?;
        if kind == Kind::Header {
            self.block_scalar()?;
        }
        Some(())
    }

    fn push(&mut self, kind: Kind, end: usize, space: Space) -> Option<()> {
        let text = self.text.get(self.at..end)?;
        self.tokens.push(Token { kind, text, column: self.at - self.line, space, key: false });
        if let Some(last) = text.rfind('\n') {
            self.line = self.at + last + 1;
        }
        self.at = end;
        Some(())
    }

    /// Returns the next token's kind and end.
    fn word(&mut self, space: Space) -> Option<(Kind, usize)> {
        let byte = self.peek()?;
        if byte == b'#' {
            return (space != Space::Nothing).then(|| (Kind::Comment, self.end_of_line()));
        }
        if !matches!(byte, b'&' | b'!')
            && let Some(end) = self.plain_end()
        {
            return Some((Kind::Plain, end));
        }
        let next = self.at + 1;
        Some(match byte {
            b'&' | b'!' => (Kind::Property, self.end_of_name()),
            b'*' => (Kind::Alias, self.end_of_name()),
            b'"' | b'\'' => (Kind::Quoted, self.end_of_quotes(byte)?),
            b'|' | b'>' if self.depth == 0 => (Kind::Header, self.end_of_name()),
            b'[' | b'{' => {
                self.depth += 1;
                (Kind::Open, next)
            }
            b']' | b'}' => {
                self.depth = self.depth.checked_sub(1)?;
                (Kind::Close, next)
            }
            b',' if self.depth > 0 => (Kind::Comma, next),
            b'-' if self.marker("---") => (Kind::DocumentStart, self.at + 3),
            b'.' if self.marker("...") => (Kind::DocumentEnd, self.at + 3),
            b'-' if self.depth == 0 => (Kind::Dash, next),
            b'?' => (Kind::Question, next),
            b':' => (Kind::Colon, next),
            b'%' if self.at == self.line => (Kind::Directive, self.end_of_line()),
            _ => return None,
        })
    }

    /// Returns the end of the plain scalar that starts here, if any.
    fn plain_end(&mut self) -> Option<usize> {
        while let Some(scalar) = self.scalars.get(self.next_scalar) {
            let Scalar { bytes, block } = scalar;
            if bytes.end <= self.at && !block {
                self.next_scalar += 1;
            } else if !block && bytes.contains(&self.at) {
                let written = self.text.get(self.at..bytes.end)?;
                return Some(self.at + written.trim_end_matches([' ', '\t', '\n']).len());
            } else {
                return None;
            }
        }
        None
    }

    /// Reads the rest of a block scalar after its header: a comment on the line, then the body.
    fn block_scalar(&mut self) -> Option<()> {
        let line_end = self.end_of_line();
        let rest = self.text.get(self.at..line_end)?;
        let comment = rest.trim_start_matches([' ', '\t']);
        if !comment.is_empty() {
            self.at += rest.len() - comment.len();
            self.push(Kind::Comment, line_end, Space::Blanks)?;
        }
        let scalar = self.scalars.get(self.next_scalar)?;
        if !scalar.block {
            return None;
        }
        let end = scalar.bytes.end;
        self.next_scalar += 1;
        let start = self.text.len().min(line_end + 1);
        let body = self.text.get(start..end.max(start))?;
        // The scanner may include the start of the line that follows.
        let body_end = if end == self.text.len() {
            end.max(start)
        } else {
            start + body.rfind('\n').map_or(0, |at| at + 1)
        };
        self.at = start;
        self.line = start;
        self.push(Kind::Body, body_end, Space::Break)?;
        // The body may end the text without a line break.
        self.line = self.at;
        Some(())
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn end_of_line(&self) -> usize {
        self.at + self.rest().find('\n').unwrap_or(self.rest().len())
    }

    fn end_of_name(&self) -> usize {
        let rest = self.rest();
        if rest.starts_with("!<") {
            return self.at + rest.find('>').map_or(rest.len(), |at| at + 1);
        }
        let flow = self.depth > 0;
        let stops =
            |c: char| matches!(c, ' ' | '\t' | '\n') || flow && matches!(c, ',' | '[' | ']' | '{' | '}');
        self.at + rest.find(stops).unwrap_or(rest.len())
    }

    fn end_of_quotes(&self, quote: u8) -> Option<usize> {
        let mut bytes = self.rest().bytes().enumerate().skip(1).peekable();
        while let Some((at, byte)) = bytes.next() {
            if byte == b'\\' && quote == b'"' {
                bytes.next();
            } else if byte == quote {
                let doubled = quote == b'\'' && bytes.peek().is_some_and(|(_, it)| *it == quote);
                if !doubled {
                    return Some(self.at + at + 1);
                }
                bytes.next();
            }
        }
        None
    }

    /// Returns whether `---` or `...` is here: at the start of a line and alone.
    fn marker(&self, mark: &str) -> bool {
        self.at == self.line
            && self.depth == 0
            && self
                .rest()
                .strip_prefix(mark)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\n']))
    }
}

/// Marks the keys of block mappings: a name, a scalar or a collection followed by a colon on its line.
fn mark_keys(tokens: &mut [Token<'_>]) {
    let mut depth = 0_usize;
    let mut start = None;
    for at in 0..tokens.len() {
        let Token { kind, .. } = tokens[at];
        if depth == 0 && tokens[at].begins_line() {
            start = None;
        }
        match kind {
            Kind::Colon if depth == 0 => tokens[start.take().unwrap_or(at)].key = true,
            Kind::Dash | Kind::Question if depth == 0 => start = None,
            Kind::Comment
            | Kind::Directive
            | Kind::DocumentStart
            | Kind::DocumentEnd
            | Kind::Header
            | Kind::Body => start = None,
            Kind::Open => {
                if depth == 0 {
                    start = start.or(Some(at));
                }
                depth += 1;
            }
            Kind::Close => depth = depth.saturating_sub(1),
            Kind::Property | Kind::Alias | Kind::Plain | Kind::Quoted if depth == 0 => {
                start = start.or(Some(at));
            }
            Kind::Property
            | Kind::Alias
            | Kind::Plain
            | Kind::Quoted
            | Kind::Colon
            | Kind::Dash
            | Kind::Question
            | Kind::Comma => {}
        }
    }
}
