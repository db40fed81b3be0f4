//! The block collections that are open at a word: known, as in YAML itself, by the columns that they stood in, each with
//! the column that it comes to stand in.

use super::token::{Kind, Token};

/// How far a level goes in.
pub(super) const STEP: usize = 2;

#[derive(Default)]
pub(super) struct Frames {
    /// From the outermost in.
    open: Vec<Frame>,
    /// The key of the outermost mapping that was seen last is `environments`.
    at_environments: bool,
}

struct Frame {
    list: bool,
    column: usize,
    new_column: usize,
    /// A list whose dashes stand right below the first letter of its key.
    level_with_key: bool,
    /// It holds the environments of its document.
    environments: bool,
    members: usize,
}

/// An entry of a block collection.
pub(super) struct Member {
    pub column: usize,
    /// It is an environment, and not the first of its document.
    pub later_environment: bool,
}

/// True for the first word of an entry of a block collection, outside of brackets.
pub(super) fn begins_member(token: &Token<'_>) -> bool {
    token.key || matches!(token.kind, Kind::Dash | Kind::Question)
}

impl Frames {
    /// A new document begins.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Where the innermost collection stood, and where it stands now; the edge of the page without one.
    pub(super) fn columns(&self) -> (usize, usize) {
        match self.open.last() {
            Some(frame) => (frame.column, frame.new_column),
            None => (0, 0),
        }
    }

    /// Where a value stands that has a line of its own.
    pub(super) fn value_column(&self) -> usize {
        self.below(self.open.len())
    }

    /// The column that the line of a value counts from: its key's, or that of what stands behind its dash.
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

    /// Notes a key of the outermost mapping.
    pub(super) fn outermost_key(&mut self, key: &str) {
        self.at_environments = key.trim_matches(['"', '\'']) == "environments";
    }

    /// Leaves what is over when a line begins with this value.
    pub(super) fn value(&mut self, token: &Token<'_>) -> usize {
        let kept = self.holding(token);
        self.open.truncate(kept);
        self.below(kept)
    }

    /// Finds the collection that this word begins an entry of. `written` is where the word comes to stand when it does
    /// not begin its line.
    pub(super) fn member(&mut self, token: &Token<'_>, written: Option<usize>) -> Member {
        if written.is_none() {
            let kept = self.holding(token);
            self.open.truncate(kept);
        }
        if !self.open.last().is_some_and(|last| last.goes_on_with(token)) {
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

    /// Where a comment goes that has a line of its own: with the word that follows it, or with what it stands in when
    /// that is further in. After `key:`, that may be where the value would stand, which is `awaited`.
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
                    Some(last) if begins_member(next) && last.goes_on_with(next) => last.new_column,
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

    /// How many of the open collections still hold this word, which begins a line.
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
    /// True when the word begins another entry of this collection, rather than a collection in it.
    fn goes_on_with(&self, token: &Token<'_>) -> bool {
        self.column == token.column && (self.list || token.kind != Kind::Dash)
    }
}
