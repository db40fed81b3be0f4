//! Walks over the pages of a list until it has ended. Pure.
//!
//! Neither the largest page nor the order of a list is documented, an account changes while it is read, and the vendor's
//! tools warn of slips in its lists. So the total is believed only where it agrees with what came: otherwise the list ends
//! where a page brings nothing new. It is walked once more when that is too early by the vendor's own count, or when the
//! count changed on the way: an environment that goes pulls another one over the edge of a page, unseen.

use std::collections::HashSet;

use crate::cloud::tencent::wire::Page;

/// What is asked for a page: the most that the vendor's own tools allow.
pub(super) const LIMIT: u32 = 100;
/// More than any account has; a list that has not ended by then has none.
const MOST_PAGES: u32 = 2000;

/// What has been seen of a list.
pub(super) struct Walk<T> {
    /// Each id once, as it was first seen, in the order of the list.
    pub(super) rows: Vec<T>,
    known: HashSet<String>,
    /// Ids seen since the list was begun, for the first time or again.
    since_start: HashSet<String>,
    offset: u32,
    pages: u32,
    /// The most entries that a page had.
    largest: u32,
    second: bool,
    /// The first page's total since the list was begun.
    total: Option<u64>,
    missing_of: Option<u64>,
}

impl<T> Default for Walk<T> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            known: HashSet::new(),
            since_start: HashSet::new(),
            offset: 0,
            pages: 0,
            largest: 0,
            second: false,
            total: None,
            missing_of: None,
        }
    }
}

/// Where to go after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    At(u32),
    Done,
    TooLong,
}

impl<T> Walk<T> {
    pub(super) fn take(&mut self, page: Page<T>, id: fn(&T) -> &str) -> Next {
        let before = self.since_start.len();
        for row in page.rows {
            let id = id(&row).to_owned();
            self.since_start.insert(id.clone());
            if self.known.insert(id) {
                self.rows.push(row);
            }
        }
        let seen = self.since_start.len();
        self.pages += 1;
        if self.offset == 0 {
            self.total = page.total;
        }
        let moved = self.total != page.total;
        // By what came, not by what was asked for: the vendor may give less.
        self.offset = self.offset.saturating_add(page.sent);
        // A vendor whose largest page is smaller than what was asked for gives that many while there are more.
        let full = if self.pages == 1 { LIMIT } else { self.largest };
        self.largest = self.largest.max(page.sent);
        let last = page.sent < full && page.total == Some(seen as u64);
        if seen > before && !last {
            return self.go_to(self.offset);
        }
        self.missing_of = page.total.filter(|total| *total > seen as u64);
        if (moved || self.missing_of.is_some()) && !self.second {
            self.second = true;
            self.since_start.clear();
            self.offset = 0;
            return self.go_to(0);
        }
        Next::Done
    }

    /// The vendor's count, as the first page had it.
    pub(super) fn total(&self) -> Option<usize> {
        usize::try_from(self.total?).ok()
    }

    /// The vendor's count, when it was still larger than what was seen.
    pub(super) fn short_of(&self) -> Option<u64> {
        self.missing_of
            .filter(|total| *total > self.rows.len() as u64)
    }

    fn go_to(&self, offset: u32) -> Next {
        if self.pages < MOST_PAGES {
            Next::At(offset)
        } else {
            Next::TooLong
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Ids = Vec<String>;

    /// Walks over what a vendor answers to each offset; gives the ids, the calls, and what was missing.
    fn walk(answer: impl Fn(u32, u32) -> (Ids, Option<u64>)) -> (Ids, u32, Option<u64>) {
        let mut walk = Walk::default();
        let (mut offset, mut calls) = (0, 0);
        loop {
            let (rows, total) = answer(calls, offset);
            calls += 1;
            let page = Page {
                sent: u32::try_from(rows.len()).unwrap(),
                rows,
                total,
                request_id: None,
                error: None,
            };
            match walk.take(page, |id| id) {
                Next::At(next) => offset = next,
                Next::Done => return (walk.rows.clone(), calls, walk.short_of()),
                Next::TooLong => return (Vec::new(), calls, None),
            }
        }
    }

    fn ids(range: std::ops::Range<u32>) -> Ids {
        range.map(|n| format!("env-{n}")).collect()
    }

    /// A vendor with so many environments and this largest page.
    fn page(all: u32, most: u32, offset: u32) -> Ids {
        ids(offset.min(all)..offset.saturating_add(most).min(all))
    }

    #[test]
    fn an_honest_list_is_read_in_as_few_calls_as_it_has_pages() {
        for (all, calls) in [(0, 1), (1, 1), (99, 1), (100, 2), (101, 2), (345, 4)] {
            let walked = walk(|_, offset| (page(all, LIMIT, offset), Some(all.into())));
            assert_eq!(walked, (ids(0..all), calls, None), "{all}");
        }
    }

    #[test]
    fn a_list_ends_without_a_word_of_its_length_or_a_true_one() {
        for total in [None, Some(0), Some(3), Some(100), Some(250)] {
            for most in [7, 20, 100] {
                let (found, _, _) = walk(|_, offset| (page(230, most, offset), total));
                assert_eq!(found, ids(0..230), "{total:?} {most}");
            }
        }
        let (found, _, short) = walk(|_, offset| (page(230, 100, offset), Some(9999)));
        assert_eq!((found.len(), short), (230, Some(9999)));
    }

    #[test]
    fn pages_that_overlap_are_folded() {
        // Each environment that comes to be while the list is read pushes the others one further on.
        let walked = walk(|call, offset| {
            let shifted = offset.saturating_sub(call);
            (page(250, LIMIT, shifted), Some(u64::from(250 + call)))
        });
        assert_eq!(walked.0, ids(0..250));
        // A vendor that knows no offset gives its first page for ever.
        let (found, calls, short) = walk(|_, _| (ids(0..100), Some(300)));
        assert_eq!((found, calls, short), (ids(0..100), 4, Some(300)));
    }

    #[test]
    fn what_a_slip_left_out_is_found_by_walking_again() {
        // The second page comes empty, once.
        let (found, _, short) = walk(|call, offset| {
            let rows = match call {
                1 => Vec::new(),
                _ => page(130, LIMIT, offset),
            };
            (rows, Some(130))
        });
        assert_eq!((found, short), (ids(0..130), None));
        // After the first page its first environment goes: what was the 101st is now on the page that was read.
        let (found, _, short) = walk(|call, offset| {
            let mut all = ids(0..150);
            if call > 0 {
                all.remove(0);
            }
            let total = all.len() as u64;
            let rows = all.into_iter().skip(offset as usize).take(100).collect();
            (rows, Some(total))
        });
        assert_eq!((found.len(), short), (150, None));
    }

    #[test]
    fn a_list_without_end_is_left() {
        let (found, calls, _) = walk(|call, _| (ids(call..call + 1), Some(u64::MAX)));
        assert_eq!((found.len(), calls), (0, MOST_PAGES));
    }
}
