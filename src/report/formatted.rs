//! A file and its canonical layout, for whoever shows it.

/// A file that was laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formatted {
    /// As the user would name it.
    pub path: String,
    pub old: String,
    pub new: String,
    /// The file holds the new text now.
    pub written: bool,
}

impl Formatted {
    pub fn changed(&self) -> bool {
        self.old != self.new
    }
}
