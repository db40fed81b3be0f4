//! The open block collections: each is identified by its column in the source, as in YAML, and knows its
//! column in the output.

use super::token::{Kind, Token};

/// Spaces per level.
pub(super) const STEP: usize = 2;

#[derive(Default)]
pub(super) struct Frames {
    /// Outermost first.
    open: Vec<Frame>,
    /// The latest key of the outermost mapping is `environments`.
    at_environments: bool,
}

struct Frame {
    list: bool,
    column: usize,
    new_column: usize,
    /// A list whose dashes are not indented below its key.
    level_with_key: bool,
    /// Holds the environments of its document.
    environments: bool,
    members: usize,
}

/// An entry of a block collection.
pub(super) struct Member {
    pub column: usize,
    /// An environment other than the first of its document.
    pub later_environment: bool,
}

/// Returns whether a token starts an entry of a block collection, outside of brackets.
pub(super) fn begins_member(token: &Token<'_>) -> bool {
    token.key || matches!(token.kind, Kind::Dash | Kind::Question)
}

impl Frames {
    /// Starts a new document.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Returns the column of the innermost collection in the source and in the output; 0 without one.
    pub(super) fn columns(&self) -> (usize, usize) {
        match self.open.last() {
            Some(frame) => (frame.column, frame.new_column),
            None => (0, 0),
        }
    }

    /// Returns the column of a value on a line of its own.
    pub(super) fn value_column(&self) -> usize {
        self.below(self.open.len())
    }

    /// Returns the column that a value's indent counts from: that of its key, or of what follows its dash.
    pub(super) fn base(&self) -> usize {
        match self.open.last() {
            Some(frame) if frame.list => frame.new_column + STEP,
            Some(frame) => frame.new_column,
            None => 0,
        }
    }

    pub(super) fn is_outermost(&self) -> bool {
        self.open.len() == 1
    }

    /// Records a key of the outermost mapping.
    pub(super) fn outermost_key(&mut self, key: &str) {
        self.at_environments = key.trim_matches(['"', '\'']) == "environments";
    }

    /// Closes the collections that end before this value, which starts a line.
    pub(super) fn value(&mut self, token: &Token<'_>) -> usize {
        let kept = self.holding(token);
        self.open.truncate(kept);
        self.below(kept)
    }

    /// Finds the collection that this token starts an entry of. `written` is the token's output column when
    /// it does not start its line.
    pub(super) fn member(&mut self, token: &Token<'_>, written: Option<usize>) -> Member {
        if written.is_none() {
            let kept = self.holding(token);
            self.open.truncate(kept);
        }
        if !self.open.last().is_some_and(|last| last.continues_with(token)) {
            self.open.push(Frame {
                list: token.kind == Kind::Dash,
                column: token.column,
                new_column: written.unwrap_or_else(|| self.value_column()),
                level_with_key: self.open.last().is_some_and(|key| key.column == token.column),
                environments: self.at_environments && self.is_outermost(),
                members: 0,
            });
        }
        match self.open.last_mut() {
            None => Member { column: 0, later_environment: false },
            Some(frame) => {
                frame.members += 1;
                Member {
                    column: frame.new_column,
                    later_environment: frame.environments && frame.members > 1,
                }
            }
        }
    }

    /// Returns the column of a comment on a line of its own: that of the next token, or of the collection
    /// around it when that is further in. After `key:`, that may be the column of the value, `awaited`.
    pub(super) fn comment_column(
        &self,
        comment: &Token<'_>,
        next: Option<&Token<'_>>,
        awaited: bool,
    ) -> usize {
        let next = match next {
            None => 0,
            Some(next) if next.is_mark() => 0,
            Some(next) => {
                let kept = self.holding(next);
                match self.open[..kept].last() {
                    Some(last) if begins_member(next) && last.continues_with(next) => last.new_column,
                    Some(_) | None => self.below(kept),
                }
            }
        };
        let around = |frame: &&Frame| {
            frame.column < comment.column || frame.column == comment.column && !frame.level_with_key
        };
        let own = match self.open.last() {
            Some(last) if awaited && last.column < comment.column => last.new_column + STEP,
            Some(_) | None => {
                let frame = self.open.iter().rev().find(around);
                frame.map_or(0, |frame| frame.new_column)
            }
        };
        own.max(next)
    }

    /// Returns how many of the open collections contain this token, which starts a line.
    fn holding(&self, token: &Token<'_>) -> usize {
        let member = begins_member(token);
        let holds = |frame: &Frame| {
            frame.column < token.column
                || member
                    && frame.column == token.column
                    && (!frame.level_with_key || token.kind == Kind::Dash)
        };
        let over = self.open.iter().rev().take_while(|frame| !holds(frame));
        self.open.len() - over.count()
    }

    fn below(&self, frames: usize) -> usize {
        match self.open[..frames].last() {
            Some(frame) => frame.new_column + STEP,
            None => 0,
        }
    }
}

impl Frame {
    /// Returns whether the token starts another entry of this collection, rather than a nested collection.
    fn continues_with(&self, token: &Token<'_>) -> bool {
        self.column == token.column && (self.list || token.kind != Kind::Dash)
    }
}
