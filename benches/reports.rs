//! What a report of 5,000 changes costs in each format, beside the same plan as text, and how large it is.
//!
//! Every number is a ratio within one run, of timings that took turns; the least of several rounds is taken.

#![allow(clippy::print_stdout, reason = "a bench is there to print what it found")]

#[expect(dead_code, reason = "another bench needs the rest of it")]
mod support;

use std::hint::black_box;
use std::time::Duration;

use anyhow::{Result, ensure};
use jiff::Timestamp;
use postpay::i18n::Lang;
use postpay::plan::{Options, Plan, file};
use postpay::report::document::View as _;
use postpay::report::plan::{Detail, PlanView};
use postpay::report::view::Context;
use postpay::report::{RenderOptions, github, html, junit, markdown, sarif};
use support::{Project, ratio, target, timed};

const CHANGES: u32 = 5_000;
const ROUNDS: usize = 7;
/// Tencent Cloud's requests a second: what a plan reckons its time with.
const RATE: f64 = 2.0;

type Format<'a> = (&'static str, Box<dyn Fn() -> String + 'a>);

#[expect(clippy::unwrap_used, reason = "no move is declared")]
fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let project = Project::generate(folder.path(), CHANGES)?;
    let desired = project.desired()?;
    let plan = Plan::make(&desired, None, Options::default(), target(), Timestamp::UNIX_EPOCH).unwrap();
    let context = Context::default();
    let view =
        PlanView { plan: &plan, rate: RATE, requests: &[], detail: Detail::Folded, diagnostics: Vec::new() };
    let report = || view.report(Lang::En).unwrap();
    let formats: Vec<Format<'_>> = vec![
        ("text", Box::new(|| view.text(RenderOptions::PLAIN))),
        ("json", Box::new(|| file::encode(&plan))),
        ("markdown", Box::new(|| markdown::render(&report(), &context))),
        ("html", Box::new(|| html::render(&report(), &context))),
        ("github", Box::new(|| github::render(&report(), &context))),
        ("sarif", Box::new(|| sarif::render(&report(), &context))),
        ("junit", Box::new(|| junit::render(&report()))),
    ];
    ensure!(markdown::render(&report(), &context).len() <= markdown::COMMENT, "a comment holds no more");
    let mut best = vec![Duration::MAX; formats.len()];
    for _ in 0..ROUNDS {
        for ((_, make), best) in formats.iter().zip(&mut best) {
            let (text, took) = timed(make);
            black_box(text);
            *best = took.min(*best);
        }
    }
    println!("{CHANGES} changes, each format beside the text");
    for ((name, make), took) in formats.iter().zip(&best) {
        println!(
            "  {name:<9} {:>6.2}  {:>9} bytes  {:>7.1} ms",
            ratio(*took, best[0]),
            make().len(),
            took.as_secs_f64() * 1e3
        );
    }
    Ok(())
}
