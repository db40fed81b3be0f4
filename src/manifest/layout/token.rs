//! A word of a text, and what little is to be known of it: its kind, its column and the white space before it.

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
    /// An anchor or a tag, which belongs to what follows.
    Property,
    Alias,
    Plain,
    Quoted,
    /// What a block scalar begins with: `|` or `>` and its indicators.
    Header,
    /// The lines of a block scalar, whole, line breaks and all.
    Body,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'t> {
    pub kind: Kind,
    pub text: &'t str,
    /// How far from the start of its line it stood, in bytes.
    pub column: usize,
    pub space: Space,
    /// A key of a block mapping begins here.
    pub key: bool,
}

/// What stands between a word and the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Space {
    Nothing,
    /// White space on their line.
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

    /// It stands between documents, or before one.
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
