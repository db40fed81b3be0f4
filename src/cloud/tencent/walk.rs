//! Walks over the pages of a list until it ends.
//!
//! Neither the largest page nor the order of a list is documented, an account changes while it is read, and Tencent Cloud's
//! own tools warn of gaps in its lists. So a list counts as complete only when one walk over it, from its start to a page that
//! brings nothing new, showed as many rows as its Total, each once, and the Total stayed the same. Any other walk is repeated,
//! twice at most.

use std::collections::HashSet;

use super::wire::Page;
use crate::i18n::{Text, text};

/// The page size that is asked for: the most that Tencent Cloud's own tools allow.
pub(super) const LIMIT: u32 = 100;
/// The most pages of a list, more than any account has.
const MOST_PAGES: u32 = 2000;
/// How often a list is walked before it counts as incomplete.
const WALKS: u32 = 3;
/// The most rows of one read, over all pages, walks and regions. A tenth of that is more than any account has.
const MOST_ROWS: u64 = 500_000;
/// The most bytes of the same: 10,000 environments take some 40 MB a walk.
const MOST_BYTES: u64 = 256 << 20;

/// What one read has returned so far, over all pages, walks and regions.
#[derive(Debug, Default)]
pub(super) struct Bounds {
    rows: u64,
    bytes: u64,
}

impl Bounds {
    /// Counts a page of so many rows and bytes.
    ///
    /// # Errors
    /// When it is more than any account has.
    pub(super) fn count(&mut self, rows: u32, bytes: u64) -> Result<(), Text> {
        self.rows += u64::from(rows);
        self.bytes += bytes;
        if self.rows > MOST_ROWS {
            return Err(text!(
                "more than {MOST_ROWS} entries received, counting every page and retry",
                MOST_ROWS
            ));
        }
        if self.bytes > MOST_BYTES {
            let most = MOST_BYTES >> 20;
            return Err(text!("more than {most} MiB received, counting every page and retry", most));
        }
        Ok(())
    }
}

/// The error for a list with too many pages.
pub(super) fn too_long() -> Text {
    text!("the list does not end: received {MOST_PAGES} pages", MOST_PAGES)
}

/// A list as far as it has been read.
pub(super) struct Walk<T> {
    /// Each id once, in the order of the list. At the end of an incomplete list, rows of earlier walks follow.
    pub(super) rows: Vec<T>,
    ids: HashSet<String>,
    /// Rows without an id.
    nameless: u64,
    offset: u32,
    pages: u32,
    /// The most rows that a page had.
    largest: u32,
    total: Option<u64>,
    is_contradictory: bool,
    walks: u32,
    /// The rows of earlier walks, none of them complete.
    earlier: Vec<T>,
    /// The Total and the ids of the first walk.
    first: Option<(Option<u64>, HashSet<String>)>,
    short: Option<Short>,
}

/// How every walk over a list fell short of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Short {
    /// Distinct rows of the last walk.
    pub(super) rows: u64,
    /// The Total, or the number of rows in a list without one.
    pub(super) total: u64,
    /// The pages of a walk did not fit together, or two walks differed.
    pub(super) contradictory: bool,
}

impl<T> Default for Walk<T> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            ids: HashSet::new(),
            nameless: 0,
            offset: 0,
            pages: 0,
            largest: 0,
            total: None,
            is_contradictory: false,
            walks: 1,
            earlier: Vec::new(),
            first: None,
            short: None,
        }
    }
}

/// What to do after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Read the page at this offset.
    At(u32),
    Done,
    TooLong,
}

impl<T> Walk<T> {
    /// Takes one page.
    pub(super) fn take(&mut self, page: Page<T>, id: fn(&T) -> &str) -> Next {
        let before = self.ids.len();
        let nameless = u64::from(page.sent).saturating_sub(page.rows.len() as u64);
        let mut repeats = false;
        for row in page.rows {
            if self.ids.insert(id(&row).to_owned()) {
                self.rows.push(row);
            } else {
                repeats = true;
            }
        }
        let brings_new = self.ids.len() > before;
        self.pages += 1;
        if self.total.is_some() && page.total.is_some() && self.total != page.total {
            self.is_contradictory = true;
        }
        self.total = self.total.or(page.total);
        // A list without a Total ends where it begins again.
        self.is_contradictory |= repeats && (brings_new || self.total.is_some());
        if brings_new || !repeats {
            self.nameless += nameless;
        }
        let seen = self.ids.len() as u64 + self.nameless;
        // By what came, not by what was asked for: the page may be smaller.
        self.offset = self.offset.saturating_add(page.sent);
        // Where the largest page is smaller than LIMIT, every page but the last has that many rows.
        let full = if self.pages == 1 { LIMIT } else { self.largest };
        self.largest = self.largest.max(page.sent);
        let is_last = page.sent < full && page.total.or(self.total) == Some(seen);
        if brings_new && !is_last {
            return if self.pages < MOST_PAGES { Next::At(self.offset) } else { Next::TooLong };
        }
        self.end(seen, id)
    }

    /// Ends a walk. An incomplete one is followed by another, or by the end.
    fn end(&mut self, seen: u64, id: fn(&T) -> &str) -> Next {
        let rows = self.ids.len() as u64;
        let total = self.total.unwrap_or(seen);
        self.is_contradictory |= seen > total;
        if rows == total && !self.is_contradictory {
            self.short = None;
            return Next::Done;
        }
        let this = (self.total, std::mem::take(&mut self.ids));
        let is_stable = self.first.as_ref().is_none_or(|first| *first == this);
        let contradictory =
            self.is_contradictory || !is_stable || self.short.is_some_and(|short| short.contradictory);
        self.short = Some(Short { rows, total, contradictory });
        self.earlier.retain(|row| !this.1.contains(id(row)));
        if self.walks == WALKS {
            // Bills are taken from wherever they were seen.
            self.rows.append(&mut self.earlier);
            return Next::Done;
        }
        self.earlier.append(&mut self.rows);
        *self = Self {
            walks: self.walks + 1,
            earlier: std::mem::take(&mut self.earlier),
            first: self.first.take().or(Some(this)),
            short: self.short,
            ..Self::default()
        };
        Next::At(0)
    }

    /// Returns how the list fell short; None when the last walk was complete.
    pub(super) fn short(&self) -> Option<Short> {
        self.short
    }

    /// The Total of the list, as this walk has it.
    pub(super) fn total(&self) -> Option<usize> {
        usize::try_from(self.total?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Ids = Vec<String>;

    /// Walks over the pages that a closure returns for each call and offset; returns the ids, the calls, and the shortfall.
    fn walk(answer: impl Fn(u32, u32) -> (Ids, Option<u64>)) -> (Ids, u32, Option<Short>) {
        walk_with(|call, offset| {
            let (rows, total) = answer(call, offset);
            (rows, 0, total)
        })
    }

    /// The same with rows that have no id.
    fn walk_with(answer: impl Fn(u32, u32) -> (Ids, u32, Option<u64>)) -> (Ids, u32, Option<Short>) {
        let mut walk = Walk::default();
        let (mut offset, mut calls) = (0, 0);
        loop {
            let (rows, nameless, total) = answer(calls, offset);
            calls += 1;
            let page = Page { sent: u32::try_from(rows.len()).unwrap() + nameless, rows, total };
            match walk.take(page, |id| id) {
                Next::At(next) => offset = next,
                Next::Done => return (walk.rows.clone(), calls, walk.short()),
                Next::TooLong => return (Vec::new(), calls, None),
            }
        }
    }

    fn ids(range: std::ops::Range<u32>) -> Ids {
        range.map(|n| format!("env-{n}")).collect()
    }

    /// The page at an offset of a list of `all` rows, with this largest page.
    fn page(all: u32, most: u32, offset: u32) -> Ids {
        ids(offset.min(all)..offset.saturating_add(most).min(all))
    }

    #[expect(clippy::unnecessary_wraps, reason = "to compare with")]
    fn short(rows: u64, total: u64, contradictory: bool) -> Option<Short> {
        Some(Short { rows, total, contradictory })
    }

    #[test]
    fn complete_list_takes_one_call_per_page() {
        for (all, calls) in [(0, 1), (1, 1), (99, 1), (100, 2), (101, 2), (345, 4)] {
            let walked = walk(|_, offset| (page(all, LIMIT, offset), Some(all.into())));
            assert_eq!(walked, (ids(0..all), calls, None), "{all}");
        }
        for most in [7, 20, 100] {
            let walked = walk(|_, offset| (page(230, most, offset), Some(230)));
            let calls = 230_u32.div_ceil(most);
            assert_eq!(walked, (ids(0..230), calls, None), "{most}");
        }
    }

    #[test]
    fn list_without_a_total_ends_where_a_page_brings_nothing_new() {
        for most in [7, 20, 100] {
            let walked = walk(|_, offset| (page(230, most, offset), None));
            let calls = 230_u32.div_ceil(most) + 1;
            assert_eq!(walked, (ids(0..230), calls, None), "{most}");
        }
        // An API that knows no offset returns its first page for ever.
        assert_eq!(walk(|_, _| (ids(0..3), None)), (ids(0..3), 2, None));
        // A total that is left out of a page says nothing against the others.
        let walked = walk(|call, offset| (page(130, 100, offset), (call == 0).then_some(130)));
        assert_eq!(walked, (ids(0..130), 2, None));
    }

    #[test]
    fn list_with_fewer_rows_than_its_total_is_short_after_three_walks() {
        let walked = walk(|_, offset| (page(3, LIMIT, offset), Some(5)));
        assert_eq!(walked, (ids(0..3), 6, short(3, 5, false)));
        let (found, calls, missing) = walk(|_, offset| (page(230, 100, offset), Some(231)));
        assert_eq!((found, calls), (ids(0..230), 12));
        assert_eq!(missing, short(230, 231, false));
    }

    #[test]
    fn row_without_an_id_is_missing() {
        let walked = walk_with(|_, offset| match offset {
            0 => (ids(0..2), 1, Some(3)),
            _ => (Vec::new(), 0, Some(3)),
        });
        assert_eq!(walked, (ids(0..2), 3, short(2, 3, false)));
        let walked = walk_with(|_, offset| match offset {
            0 => (ids(0..2), 1, None),
            _ => (Vec::new(), 0, None),
        });
        assert_eq!(walked, (ids(0..2), 6, short(2, 3, false)));
        let (_, _, only) = walk_with(|_, _| (Vec::new(), 2, Some(2)));
        assert_eq!(only, short(0, 2, false));
    }

    #[test]
    fn contradictory_pages_are_not_a_list() {
        let more_than_total = |_, offset| (page(230, 100, offset), Some(100));
        assert_eq!(walk(more_than_total).2, short(230, 100, true));
        // An API that knows no offset returns its first page for ever.
        let no_offset = |_, _| (ids(0..100), Some(300));
        assert_eq!(walk(no_offset), (ids(0..100), 6, short(100, 300, true)));
        let total_grows = |call, offset| (page(130, 100, offset), Some(130 + u64::from(call)));
        assert!(walk(total_grows).2.unwrap().contradictory);
        // One row comes twice and another one not at all: the count alone would fit.
        let twice = |_, offset| match offset {
            0 => (ids(0..100), Some(101)),
            100 => (ids(99..100), Some(101)),
            _ => (Vec::new(), Some(101)),
        };
        assert_eq!(walk(twice).2, short(100, 101, true));
        // Without a total as well.
        let overlap = |_, offset| match offset {
            0 => (ids(0..100), None),
            100 => (ids(90..120), None),
            _ => (Vec::new(), None),
        };
        assert!(walk(overlap).2.unwrap().contradictory);
    }

    #[test]
    fn shortfall_that_differs_between_walks_is_contradictory() {
        // The same number, and another one is missing.
        let other_row = |call, offset| match (call, offset) {
            (0, 0) => (ids(1..3), Some(3)),
            (_, 0) => (ids(0..2), Some(3)),
            _ => (Vec::new(), Some(3)),
        };
        assert_eq!(walk(other_row).2, short(2, 3, true));
        let other_total = |call, offset| {
            let total = if call < 2 { 4 } else { 5 };
            (page(3, LIMIT, offset), Some(total))
        };
        assert_eq!(walk(other_total).2, short(3, 5, true));
        // One walk that contradicts itself is enough.
        let once = |call, offset| {
            let total = if call == 0 { 4 } else { 5 };
            (page(3, LIMIT, offset), Some(total))
        };
        assert_eq!(walk(once).2, short(3, 5, true));
    }

    #[test]
    fn first_complete_walk_is_the_list() {
        // The second page comes empty, once.
        let slip = |call, offset| {
            let rows = match call {
                1 => Vec::new(),
                _ => page(130, LIMIT, offset),
            };
            (rows, Some(130))
        };
        assert_eq!(walk(slip), (ids(0..130), 4, None));
        // After the first page its first environment goes: what was the 101st is now on the page that was read. It is in no
        // list any more, though a walk saw it.
        let goes = |call: u32, offset: u32| {
            let all = ids(u32::from(call > 0)..150);
            let total = all.len() as u64;
            let rows = all.into_iter().skip(offset as usize).take(100).collect();
            (rows, Some(total))
        };
        assert_eq!(walk(goes), (ids(1..150), 4, None));
        // One that comes to be while the list is read pushes the others one further on.
        let comes = |call: u32, offset: u32| {
            let first = u32::from(call == 0);
            (page(150 - first, LIMIT, offset), Some(u64::from(150 - first)))
        };
        assert_eq!(walk(comes), (ids(0..150), 4, None));
        // The third walk counts as well.
        let late = |call, offset| (page(if call < 4 { 3 } else { 5 }, LIMIT, offset), Some(5));
        assert_eq!(walk(late), (ids(0..5), 5, None));
    }

    #[test]
    fn every_row_seen_of_an_incomplete_list_is_kept() {
        let (found, _, _) = walk(|call, offset| match (call, offset) {
            (0, 0) => (ids(1..3), Some(4)),
            (_, 0) => (ids(0..2), Some(4)),
            _ => (Vec::new(), Some(4)),
        });
        assert_eq!(found, ["env-0", "env-1", "env-2"]);
    }

    #[test]
    fn read_is_bounded_by_the_sum_of_its_pages() {
        let mut bounds = Bounds::default();
        for _ in 0..MOST_BYTES >> 24 {
            bounds.count(100, 16 << 20).unwrap();
        }
        let why = bounds.count(1, 1).unwrap_err();
        assert!(why.en().contains("256 MiB"), "{why}");
        let mut bounds = Bounds::default();
        for _ in 0..5000 {
            bounds.count(100, 1).unwrap();
        }
        let why = bounds.count(1, 1).unwrap_err();
        assert!(why.en().contains("500000 entries"), "{why}");
    }

    #[test]
    fn list_without_end_is_an_error() {
        let (found, calls, _) = walk(|call, _| (ids(call..call + 1), Some(u64::MAX)));
        assert_eq!((found.len(), calls), (0, MOST_PAGES));
    }
}
