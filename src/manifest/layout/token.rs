//! A token: its kind, its column and the white space before it.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Comment,
    /// `%YAML 1.2`
    Directive,
    /// `---`
    DocumentStart,
    /// `...`
    DocumentEnd,
    Dash,
    Question,
    Colon,
    Comma,
    /// `[` or `{`
    Open,
    /// `]` or `}`
    Close,
    /// An anchor or a tag, which applies to the next node.
    Property,
    Alias,
    Plain,
    Quoted,
    /// The start of a block scalar: `|` or `>` and its indicators.
    Header,
    /// The lines of a block scalar, line breaks included.
    Body,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'t> {
    pub kind: Kind,
    pub text: &'t str,
    /// The column in the source, in bytes.
    pub column: usize,
    pub space: Space,
    /// Starts a key of a block mapping.
    pub key: bool,
}

/// The white space between a token and the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Space {
    Nothing,
    /// On the same line.
    Blanks,
    /// A line break.
    Break,
    /// Empty lines.
    Lines,
}

impl Token<'_> {
    pub(super) fn is_comment(&self) -> bool {
        self.kind == Kind::Comment
    }

    /// Returns whether it separates documents.
    pub(super) fn is_mark(&self) -> bool {
        matches!(self.kind, Kind::Directive | Kind::DocumentStart | Kind::DocumentEnd)
    }

    pub(super) fn begins_line(&self) -> bool {
        matches!(self.space, Space::Break | Space::Lines)
    }

    pub(super) fn has_empty_lines_before(&self) -> bool {
        self.space == Space::Lines
    }
}
