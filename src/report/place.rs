//! Places in manifests, as editors, URIs and repositories name them.

use std::fmt;

use crate::diagnostic::Span;
use crate::model::SourceRef;

/// A place in a file. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// With `/` between folders.
    pub file: String,
    pub line: u32,
    /// None when the whole line is meant.
    pub span: Option<Columns>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Columns {
    pub column: u32,
    pub end_line: u32,
    /// Behind the last character.
    pub end_column: u32,
}

impl From<&Span> for Place {
    fn from(span: &Span) -> Self {
        let (start, end) = (span.start(), span.end());
        Self {
            file: forward(&span.file.path.display().to_string()),
            line: start.line,
            span: Some(Columns { column: start.column, end_line: end.line, end_column: end.column }),
        }
    }
}

impl From<&SourceRef> for Place {
    fn from(SourceRef { file, line }: &SourceRef) -> Self {
        Self { file: forward(file), line: *line, span: None }
    }
}

/// Returns a path relative to `folder` as it is named from the root of the repository that the folder is in.
pub fn from_root(path: &str, folder: &str) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    if folder.is_empty() || path.starts_with('/') || path.contains(":/") {
        return path.to_owned();
    }
    let mut folders: Vec<&str> = folder.split('/').collect();
    let mut rest = path;
    while let Some(below) = rest.strip_prefix("../") {
        if folders.pop().is_none() {
            break;
        }
        rest = below;
    }
    folders.push(rest);
    folders.join("/")
}

/// `file:line`, so that editors can jump to it.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, span } = self;
        match span {
            Some(Columns { column, .. }) => write!(f, "{file}:{line}:{column}"),
            None => write!(f, "{file}:{line}"),
        }
    }
}

/// Returns a path with the separators of a URI, whatever the system's are.
pub(super) fn forward(path: &str) -> String {
    if std::path::MAIN_SEPARATOR == '/' {
        path.to_owned()
    } else {
        path.replace(std::path::MAIN_SEPARATOR, "/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_from_the_root_of_the_repository() {
        for (file, expected) in [
            ("environments/a.yaml", "infra/shop/environments/a.yaml"),
            ("./a.yaml", "infra/shop/a.yaml"),
            ("../common/a.yaml", "infra/common/a.yaml"),
            ("/etc/a.yaml", "/etc/a.yaml"),
        ] {
            assert_eq!(from_root(file, "infra/shop"), expected);
        }
    }
}
