//! A text of limited length, of which everything that does not fit is left out whole, and counted.

use std::collections::BTreeMap;

/// After so many that did not fit, nothing more is tried: to make what is not shown takes time too.
const PATIENCE: usize = 20;

#[derive(Debug)]
pub(super) struct Room {
    text: String,
    left: usize,
    misfits: usize,
    left_out: BTreeMap<&'static str, usize>,
}

impl Room {
    pub(super) fn new(cap: usize) -> Self {
        Self { text: String::new(), left: cap, misfits: 0, left_out: BTreeMap::new() }
    }

    pub(super) const fn left(&self) -> usize {
        self.left
    }

    /// How much of which kind was left out.
    pub(super) const fn left_out(&self) -> &BTreeMap<&'static str, usize> {
        &self.left_out
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// Does something that may not take the last `bytes`.
    pub(super) fn hold_back(&mut self, bytes: usize, what: impl FnOnce(&mut Self)) {
        let held = bytes.min(self.left);
        self.left -= held;
        what(self);
        self.left += held;
        // What did not fit in less may fit now.
        self.misfits = 0;
    }

    /// Items between an opening and a closing that are there together, or not at all when nothing stands between.
    pub(super) fn group(&mut self, open: &str, close: &str, items: impl FnOnce(&mut Self)) {
        let (start, frame) = (self.text.len(), open.len() + close.len());
        let before = self.left;
        let Some(left) = self.left.checked_sub(frame) else {
            // The items are counted as left out.
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

    /// The item if there is room for all of it.
    pub(super) fn item(&mut self, what: &'static str, make: impl FnOnce() -> String) {
        if self.left > 0 && self.misfits < PATIENCE {
            let text = make();
            if text.len() <= self.left {
                self.left -= text.len();
                self.text.push_str(&text);
                return;
            }
            self.misfits += 1;
        }
        *self.left_out.entry(what).or_default() += 1;
    }
}
