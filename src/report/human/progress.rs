//! How far something has come that takes its time: one line each, for a terminal.

use std::time::Duration;

use crate::cloud::{Looks, Reading};
use crate::i18n::{Text, text};
use crate::report::text::{clean, duration};
use crate::state::Holder;

/// A look at the account, so long after it began.
pub fn reading(reading: &Reading, elapsed: Duration) -> Text {
    let Reading { what, region, regions, pages, done, of } = *reading;
    let what = match what {
        Looks::Caller => return text!("Looking up the account"),
        Looks::Environments => text!("Listing the account"),
        Looks::Lookup => text!("Looking up environments by id"),
        Looks::Bills => text!("Reading bills"),
    };
    let region = match regions {
        0 | 1 => text!(""),
        _ => text!(", region {region} of {regions}", region, regions),
    };
    let pages = match pages {
        0 => text!(""),
        1 => text!(", 1 page"),
        _ => text!(", {pages} pages", pages),
    };
    let count = match of {
        Some(of) => text!("{done} of {of} environments", done, of),
        None => text!("{done} environments", done),
    };
    let pace = pace(done, of, elapsed);
    text!("{what}: {count}{region}{pages}{pace}", what, count, region, pages, pace)
}

/// How fast, and how long yet.
fn pace(done: usize, of: Option<usize>, elapsed: Duration) -> Text {
    let count = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    let seconds = elapsed.as_secs_f64();
    if done == 0 || seconds <= 0.0 {
        return text!("");
    }
    let rate = count(done) / seconds;
    let left = of.filter(|of| *of > done).map(|of| count(of - done) / rate);
    let left = left.and_then(|left| Duration::try_from_secs_f64(left).ok());
    let pace = pace_of(rate, left);
    text!(", {pace}", pace)
}

/// `2.0 a second, about 4 s left`: `rate` is a second.
pub fn pace_of(rate: f64, left: Option<Duration>) -> Text {
    // Below that, halves matter.
    let rate = if rate < 10.0 { format!("{rate:.1}") } else { format!("{rate:.0}") };
    match left.map(whole) {
        Some(left) => text!("{rate} per second, about {left} left", rate, left),
        None => text!("{rate} per second", rate),
    }
}

/// Waiting for another writer of the state, `most` at most.
pub fn lock(holder: Option<&Holder>, waited: Duration, most: Duration) -> Text {
    let who = match holder {
        Some(Holder { who, pid, since: _, doing }) => {
            let (who, doing) = (clean(who), clean(doing));
            text!("{who} (pid {pid}, {doing})", who, pid, doing)
        }
        None => text!("another process"),
    };
    let (waited, left) = (whole(waited), whole(most.saturating_sub(waited)));
    text!(
        "Waiting for {who} to release the state lock: {waited} so far, at most {left} more",
        who,
        waited,
        left
    )
}

/// Looking for what became of orders and changes, `most` at most.
pub fn looking(open: usize, looked: Duration, most: Duration) -> Text {
    let environments = match open {
        1 => text!("1 environment"),
        _ => text!("{open} environments", open),
    };
    let (looked, left) = (whole(looked), whole(most.saturating_sub(looked)));
    text!(
        "searching the account for {environments}: {looked} so far, at most {left} more",
        environments,
        looked,
        left
    )
}

/// Whole seconds: what counts up does not flicker.
fn whole(time: Duration) -> Text {
    match time.as_secs() {
        seconds @ 0..120 => text!("{seconds} s", seconds),
        _ => duration(time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Lang;

    const LISTING: Reading =
        Reading { what: Looks::Environments, region: 1, regions: 1, pages: 0, done: 0, of: None };

    fn said(told: Reading, seconds: u64) -> String {
        reading(&told, Duration::from_secs(seconds)).en().to_owned()
    }

    #[test]
    fn a_look_tells_its_count_rate_and_time_left_as_far_as_they_are_known() {
        assert_eq!(said(LISTING, 2), "Listing the account: 0 environments");
        let begun = Reading { regions: 3, region: 2, pages: 4, done: 400, ..LISTING };
        assert_eq!(
            said(begun, 8),
            "Listing the account: 400 environments, region 2 of 3, 4 pages, 50 per second"
        );
        let of = Some(1000);
        assert_eq!(
            said(Reading { of, ..begun }, 8),
            "Listing the account: 400 of 1000 environments, region 2 of 3, 4 pages, 50 per second, about 12 s left"
        );
        let chinese = reading(&Reading { of, ..begun }, Duration::from_secs(8));
        assert_eq!(
            chinese.in_lang(Lang::Zh),
            "正在列出账号中的环境：环境 400/1000，地域 2/3，4 页，每秒 50 个，约剩 12 秒"
        );
    }

    #[test]
    fn waiting_tells_how_long_it_has_been_and_how_long_it_may_be() {
        let (waited, most) = (Duration::from_secs(12), Duration::from_secs(60));
        assert_eq!(
            looking(1, waited, most).en(),
            "searching the account for 1 environment: 12 s so far, at most 48 s more"
        );
        assert_eq!(
            lock(None, waited, Duration::from_secs(600)).en(),
            "Waiting for another process to release the state lock: 12 s so far, at most 9 min 48 s more"
        );
    }
}
