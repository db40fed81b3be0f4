//! One page of HTML that needs nothing besides itself.

use super::page::{Page, Setting};

/// The page as one document that ends in a newline.
pub fn page(page: &Page, setting: &Setting) -> String {
    let _ = setting;
    page.summary.join("\n") + "\n"
}
