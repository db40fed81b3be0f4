//! Arranges tokens into lines: where each line starts, and the spaces between two tokens.

use super::frames::{Frames, STEP, begins_member};
use super::scalar;
use super::token::{Kind, Token};

/// Returns the tokens in the canonical layout, each line ended by a line feed.
pub(super) fn arrange(tokens: &[Token<'_>]) -> String {
    let mut page = Page::default();
    let mut next_word = 0;
    for at in 0..tokens.len() {
        while next_word <= at || tokens.get(next_word).is_some_and(Token::is_comment) {
            next_word += 1;
        }
        let before = at.checked_sub(1).and_then(|before| tokens.get(before));
        page.place(&tokens[at], before, tokens.get(next_word));
    }
    page.finish()
}

#[derive(Default)]
struct Page<'t> {
    lines: Vec<Line>,
    /// The line being written.
    open: Option<Line>,
    frames: Frames,
    brackets: Vec<Bracket>,
    /// The open brackets contain a plain scalar.
    plain: bool,
    header: Option<scalar::Header<'t>>,
    /// The last token other than a comment expects a value.
    awaits_value: bool,
    /// A block scalar ended with empty lines that are not part of it.
    blank: bool,
}

struct Line {
    text: String,
    indent: usize,
    /// Preceded by an empty line.
    blank: bool,
    role: Role,
}

#[derive(PartialEq, Eq)]
enum Role {
    /// Only a comment.
    Comment,
    /// Starts an environment other than the first.
    Environment,
    /// Ends a scalar that empty lines below would become part of.
    Kept,
    Other,
}

struct Bracket {
    /// The indent of the line that closes it.
    indent: usize,
}

impl<'t> Page<'t> {
    /// Places a token. `next` is the token after it and after the comments behind it.
    fn place(&mut self, token: &Token<'t>, before: Option<&Token<'t>>, next: Option<&Token<'t>>) {
        if token.kind == Kind::Body {
            return self.body(token);
        }
        let is_empty = token.kind == Kind::Close && before.is_some_and(|before| before.kind == Kind::Open);
        match (&self.open, before) {
            (Some(line), Some(before)) if !token.begins_line() || is_empty => {
                let column = line.text.chars().count() + gap(before, token);
                self.write(&" ".repeat(gap(before, token)));
                if self.brackets.is_empty() && begins_member(token) {
                    self.frames.member(token, Some(column));
                }
            }
            _ => self.begin(token, next),
        }
        self.word(token);
        if token.kind == Kind::Colon && self.brackets.is_empty() && self.frames.is_outermost() {
            self.frames.outermost_key(before.map_or("", |before| before.text));
        }
        if !token.is_comment() {
            self.awaits_value =
                matches!(token.kind, Kind::Colon | Kind::Dash | Kind::Question | Kind::Property);
        }
    }

    /// Starts a new line for this token.
    fn begin(&mut self, token: &Token<'t>, next: Option<&Token<'t>>) {
        self.end_line();
        let mut role = Role::Other;
        let indent = match self.brackets.last() {
            Some(bracket) if token.kind == Kind::Close => self.closing_column(bracket),
            Some(bracket) => bracket.indent + STEP,
            None if token.is_comment() => {
                role = Role::Comment;
                self.frames.comment_column(token, next, self.awaits_value)
            }
            None if token.is_mark() => {
                self.frames.clear();
                0
            }
            None if begins_member(token) => {
                let member = self.frames.member(token, None);
                if member.later_environment {
                    role = Role::Environment;
                }
                member.column
            }
            None => match self.frames.value(token) {
                // At column 0 it would end the document.
                0 if token.text.starts_with("---") || token.text.starts_with("...") => STEP,
                column => column,
            },
        };
        self.open = Some(Line {
            text: " ".repeat(indent),
            indent,
            blank: token.has_empty_lines_before() || std::mem::take(&mut self.blank),
            role,
        });
    }

    /// A closing bracket is aligned with the line it closes. Strictly, YAML wants it indented further than
    /// the key whose value it ends; parsers accept this, ours only with a plain scalar between the brackets.
    fn closing_column(&self, bracket: &Bracket) -> usize {
        if self.plain { bracket.indent } else { bracket.indent.max(self.frames.value_column()) }
    }

    fn word(&mut self, token: &Token<'t>) {
        self.plain |= token.kind == Kind::Plain && !self.brackets.is_empty();
        match token.kind {
            Kind::Open => {
                self.plain &= !self.brackets.is_empty();
                let line = self.open.as_ref().map_or(0, |line| line.indent);
                self.brackets.push(Bracket { indent: line.max(self.frames.base()) });
                self.write(token.text);
            }
            Kind::Close => {
                self.brackets.pop();
                self.write(token.text);
            }
            Kind::Header => {
                let header = scalar::Header::read(token.text);
                self.write(&header.written(STEP));
                self.header = Some(header);
            }
            Kind::Plain | Kind::Quoted if token.text.contains('\n') => self.several_lines(token),
            Kind::Comment | Kind::Directive => {
                self.write(token.text.trim_end_matches([' ', '\t']));
            }
            Kind::DocumentStart
            | Kind::DocumentEnd
            | Kind::Dash
            | Kind::Question
            | Kind::Colon
            | Kind::Comma
            | Kind::Property
            | Kind::Alias
            | Kind::Plain
            | Kind::Quoted
            | Kind::Body => self.write(token.text),
        }
    }

    /// Writes a plain or quoted scalar over several lines: the later ones are its continuation.
    fn several_lines(&mut self, token: &Token<'_>) {
        let indent = match self.brackets.last() {
            Some(bracket) => bracket.indent + STEP,
            // At column 0, `---` would become a document marker.
            None => self.frames.value_column().max(STEP),
        };
        for (at, text) in scalar::folded(token).enumerate() {
            if at > 0 {
                self.end_line();
                self.open = Some(Line::scalar_line(text, indent));
            } else {
                self.write(text);
            }
        }
    }

    fn body(&mut self, token: &Token<'_>) {
        self.end_line();
        if let Some(header) = self.header.take() {
            let (column, new_column) = self.frames.columns();
            let body = scalar::body(token.text, &header, column);
            self.blank = body.blank;
            let lines = body.lines.iter();
            self.lines.extend(lines.map(|text| Line::scalar_line(text, new_column + STEP)));
            if let Some(last) = self.lines.last_mut().filter(|_| header.keep) {
                last.role = Role::Kept;
            }
        }
    }

    fn write(&mut self, text: &str) {
        if let Some(line) = &mut self.open {
            line.text.push_str(text);
        }
    }

    fn end_line(&mut self) {
        self.lines.extend(self.open.take());
    }

    fn finish(mut self) -> String {
        self.end_line();
        self.separate_environments();
        let bytes = self.lines.iter().map(|line| line.text.len() + 2).sum();
        let mut text = String::with_capacity(bytes);
        let mut kept = true;
        for line in &self.lines {
            // Not at the very top, nor where it would become part of a value.
            if line.blank && !kept {
                text.push('\n');
            }
            kept = line.role == Role::Kept;
            text.push_str(&line.text);
            text.push('\n');
        }
        text
    }

    /// Puts an empty line before every environment but the first, above the comments that belong to it.
    fn separate_environments(&mut self) {
        for at in 0..self.lines.len() {
            if self.lines[at].role == Role::Environment {
                let indent = self.lines[at].indent;
                let above = self.lines[..at].iter().rev();
                let comments = above.take_while(|line| line.role == Role::Comment && line.indent == indent);
                let first = at - comments.count();
                self.lines[first].blank = true;
            }
        }
    }
}

impl Line {
    /// Returns a line of a scalar. An empty one is not indented.
    fn scalar_line(text: &str, indent: usize) -> Self {
        let indent = if text.is_empty() { 0 } else { indent };
        Self { text: format!("{:indent$}{text}", ""), indent, blank: false, role: Role::Other }
    }
}

/// Returns how many spaces go between two tokens of a line.
fn gap(before: &Token<'_>, token: &Token<'_>) -> usize {
    use Kind::{Alias, Close, Colon, Comma, Open, Plain, Property, Question, Quoted};
    match (before.kind, token.kind) {
        // `*name:` would be another alias, `?}` a plain scalar, and `[#` no comment.
        (Alias | Property, Colon) | (Question, Comma | Close) | (_, Kind::Comment) => 1,
        // `-]` too, where a text ends in a lone dash.
        (Plain, Comma | Close) if before.text.trim_end_matches('-').ends_with([' ', '\t', '\n']) => 1,
        (Open, _) | (_, Comma | Close) | (Plain | Quoted | Close, Colon) => 0,
        _ => 1,
    }
}
