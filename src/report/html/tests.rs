//! The whole page.

use std::time::{Duration, Instant};

use super::*;
use crate::apply::{Call, CallKind};
use crate::report::page::tests::{HOSTILE, hostile, large, run_page, sample};

/// A run of `n` orders, paced, with something of everything that goes wrong.
fn busy(n: u32) -> Page {
    let mut page = large(n);
    let ms = Duration::from_millis;
    let call = |sent, answered, kind| Call {
        sent: ms(sent),
        answered: ms(answered),
        kind,
    };
    page.kind = crate::report::page::Kind::Apply;
    for (at, entry) in (0_u64..).zip(&mut page.entries) {
        let sent = at * 500;
        entry.calls = vec![call(sent, sent + 300 + at * 37 % 200, CallKind::Taken)];
        (entry.mark, entry.reason) = ("✓", "ordered");
        match at % 12 {
            3 => {
                entry.calls = vec![
                    call(sent, sent + 120, CallKind::Throttled),
                    call(sent + 1100, sent + 1210, CallKind::Throttled),
                    call(sent + 3000, sent + 3400, CallKind::Taken),
                ]
            }
            5 => {
                entry.calls = vec![call(sent, sent + 600, CallKind::Refused)];
                (entry.mark, entry.reason, entry.tone) = ("✗", "failed", Tone::Bad);
            }
            8 => {
                entry.calls = vec![
                    call(sent, sent + 1000, CallKind::NotSent),
                    call(sent + 2000, sent + 2500, CallKind::Taken),
                ]
            }
            11 => {
                entry.calls = vec![call(sent, sent + 4000, CallKind::Unknown)];
                (entry.mark, entry.reason, entry.tone) = ("?", "unknown", Tone::Bad);
            }
            _ => {}
        }
    }
    page
}

#[test]
fn dump() {
    let dir = std::path::Path::new("/tmp/h/pages");
    std::fs::create_dir_all(dir).unwrap();
    let put = |name: &str, it: &Page| {
        std::fs::write(dir.join(name), page(it, &Setting::default())).unwrap()
    };
    put("plan.html", &sample());
    put("run.html", &run_page());
    put("hostile.html", &hostile());
    put("busy.html", &busy(24));
    put(
        "busy-zh.html",
        &Page {
            lang: Lang::Zh,
            ..busy(400)
        },
    );
    let file = std::path::PathBuf::from("environments/shop.yaml");
    let good = std::path::PathBuf::from("environments/好.yaml");
    let told = [crate::diagnostic::Diagnostic::error(
        "unknown-field",
        "`alais` is no field of an environment",
    )
    .help("did you mean `alias`?")];
    let mut check =
        crate::report::page::validation(&[good, file], &told, "1 error in 2 files.", Lang::En);
    check.findings[0].place = sample().entries[0].place.clone();
    check.findings[0].entry = Some(1);
    put("check.html", &check);
    let mut mixed = large(60);
    for (at, entry) in mixed.entries.iter_mut().enumerate() {
        if at > 20 {
            entry.quiet = true;
            entry.action = "no-op";
            entry.mark = " ";
            entry.tone = Tone::Plain;
            entry.reason = "unchanged";
            entry.fields.clear();
        }
    }
    put("mixed.html", &mixed);
    let start = Instant::now();
    put("large.html", &large(5000));
    println!("{:?}", start.elapsed());
    let _ = (HOSTILE, Duration::ZERO, CallKind::Taken, None::<Call>);
}
