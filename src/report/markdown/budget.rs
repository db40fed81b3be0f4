//! A text of limited length. What does not fit is omitted as a whole, and counted.

use std::collections::BTreeMap;

/// After so many that did not fit, nothing more is tried: rendering takes time.
const MISFITS: usize = 20;

#[derive(Debug)]
pub(super) struct Budget {
    text: String,
    left: usize,
    misfits: usize,
    left_out: BTreeMap<String, usize>,
}

impl Budget {
    pub(super) fn new(cap: usize) -> Self {
        Self { text: String::new(), left: cap, misfits: 0, left_out: BTreeMap::new() }
    }

    pub(super) const fn left(&self) -> usize {
        self.left
    }

    /// Returns how many of which kind were omitted.
    pub(super) const fn left_out(&self) -> &BTreeMap<String, usize> {
        &self.left_out
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// Adds what may not take the last `bytes`.
    pub(super) fn hold_back(&mut self, bytes: usize, what: impl FnOnce(&mut Self)) {
        let held = bytes.min(self.left);
        self.left -= held;
        what(self);
        self.left += held;
        // What did not fit in less may fit now.
        self.misfits = 0;
    }

    /// Adds items between an opening and a closing, which are omitted when no item fits.
    pub(super) fn group(&mut self, open: &str, close: &str, items: impl FnOnce(&mut Self)) {
        let (start, frame) = (self.text.len(), open.len() + close.len());
        let before = self.left;
        let Some(left) = self.left.checked_sub(frame) else {
            // The items are counted as omitted.
            self.left = 0;
            items(self);
            self.left = before;
            return;
        };
        self.left = left;
        self.text.push_str(open);
        items(self);
        if self.text.len() == start + open.len() {
            self.text.truncate(start);
            self.left = before;
        } else {
            self.text.push_str(close);
        }
    }

    /// Adds an item if all of it fits.
    pub(super) fn item(&mut self, what: &str, make: impl FnOnce() -> String) {
        if self.left > 0 && self.misfits < MISFITS {
            let text = make();
            if text.len() <= self.left {
                self.left -= text.len();
                self.text.push_str(&text);
                return;
            }
            self.misfits += 1;
        }
        *self.left_out.entry(what.to_owned()).or_default() += 1;
    }
}
