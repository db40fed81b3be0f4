//! Tells whoever waits how far a look has come.

use crate::cloud::{Looks, Reading, Watcher};

/// One look, told as it goes on; that it has ended is told however it ends.
pub(super) struct Telling<'a> {
    watcher: Option<&'a Watcher>,
    reading: Reading,
}

impl<'a> Telling<'a> {
    pub(super) fn begin(
        watcher: Option<&'a Watcher>,
        what: Looks,
        regions: usize,
        of: Option<usize>,
    ) -> Self {
        let telling = Self { watcher, reading: Reading { what, region: 1, regions, pages: 0, done: 0, of } };
        telling.tell();
        telling
    }

    pub(super) fn region(&mut self, number: usize) {
        self.reading.region = number;
    }

    /// One more page came: `done` is how many there are by now, of `of`, where that is known.
    pub(super) fn page(&mut self, done: usize, of: Option<usize>) {
        self.reading.pages += 1;
        self.reading.done = done;
        self.reading.of = of.map(|of| of.max(done));
        self.tell();
    }

    fn tell(&self) {
        if let Some(watcher) = self.watcher {
            watcher(Some(&self.reading));
        }
    }
}

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        if let Some(watcher) = self.watcher {
            watcher(None);
        }
    }
}
