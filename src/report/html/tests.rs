//! The whole page.

use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::apply::{Call, CallKind};
use crate::diagnostic::Diagnostic;
use crate::report::document::View as _;
use crate::report::tests::{HOSTILE, drift_page, hostile, large, run_page, sample};
use crate::report::validate::ValidateView;
use crate::report::view::{Kind, Provenance};

/// The page, but for the two files and the policy that stand in it as they are.
fn body(it: &Report) -> String {
    let html = render(it, &Context::default());
    let (style, script) = (as_parsed(include_str!("style.css")), as_parsed(include_str!("script.js")));
    html.replace(style.as_ref(), "…")
        .replace(script.as_ref(), "…")
        .replace(&policy(&style, &script), "…")
        .replace(env!("CARGO_PKG_VERSION"), "VERSION")
}

/// A line for every part, so that a change is seen where it is.
fn in_lines(html: &str) -> String {
    let mut html = html.to_owned();
    for tag in ["<body", "<section", "<article", "<li", "<h2", "<div", "<dl", "<p", "<ul", "<ol", "<footer"] {
        html = html
            .replace(&format!("{tag} "), &format!("\n{tag} "))
            .replace(&format!("{tag}>"), &format!("\n{tag}>"));
    }
    html
}

/// A check of two files, in Chinese, of which one has an error.
fn checked() -> Report {
    let files = ["environments/商店.yaml", "environments/shop.yaml"].map(PathBuf::from);
    let told = Diagnostic::error("unknown-field", "`alais` is no field").help("did you mean `alias`?");
    ValidateView::new(&files, 0, &[told], Provenance::default()).report(Lang::Zh).unwrap()
}

/// A run of `n` orders, paced, of which every 100th is throttled once.
fn long_run(n: u32) -> Report {
    let mut page = large(n);
    page.kind = Kind::Apply;
    for (at, entry) in (0_u64..).zip(&mut page.entries) {
        let call = |sent, kind| Call {
            sent: Duration::from_millis(sent),
            answered: Duration::from_millis(sent + 300),
            kind,
        };
        entry.calls = vec![call(at * 500, CallKind::Taken)];
        if at % 100 == 99 {
            entry.calls.insert(0, call(at * 500 - 400, CallKind::Throttled));
        }
    }
    page
}

#[test]
fn a_plan_is_a_page() {
    insta::assert_snapshot!(in_lines(&body(&sample())));
}

#[test]
fn a_run_is_a_page_with_a_picture() {
    let html = body(&run_page());
    let picture = html.split_once("<figure").unwrap().1;
    insta::assert_snapshot!(in_lines(picture.split_once("</figure>").unwrap().0));
}

#[test]
fn a_check_is_a_page_in_chinese() {
    insta::assert_snapshot!(in_lines(&body(&checked())));
}

/// The tags of a page as they come, without their attributes: `p`, `/p`.
fn tags(html: &str) -> Vec<&str> {
    let names = html.split('<').skip(1).map(|rest| {
        let tag = rest.split_once('>').expect("a tag has an end").0;
        if tag.ends_with('/') { "" } else { tag.split([' ', '\n']).next().unwrap() }
    });
    names.filter(|name| !name.is_empty()).collect()
}

#[test]
fn every_element_is_closed_in_its_turn() {
    for it in [sample(), run_page(), drift_page(), hostile(), checked(), long_run(300)] {
        let html = body(&it);
        let mut open = Vec::new();
        for tag in tags(&html) {
            match tag.strip_prefix('/') {
                _ if ["!DOCTYPE", "meta", "input"].contains(&tag) => {}
                None => open.push(tag),
                Some(name) => assert_eq!(open.pop(), Some(name)),
            }
        }
        assert_eq!(open, Vec::<&str>::new());
    }
}

#[test]
fn nothing_that_somebody_else_chose_is_markup() {
    let mut it = hostile();
    it.entries[0].calls = run_page().entries[0].calls.clone();
    it.summary.push(HOSTILE.to_owned());
    it.requests[0].name = HOSTILE.to_owned();
    let setting = Context {
        key: Some(HOSTILE.to_owned()),
        complete: Some(HOSTILE.to_owned()),
        folder: HOSTILE.to_owned(),
    };
    let html = render(&it, &setting);
    assert!(!html.chars().any(|c| c.is_control() && c != '\n'));
    assert!(!html.contains('\u{202e}'));
    assert_eq!(html.matches("<script>").count(), 1);
    assert_eq!(html.matches("</script>").count(), 1);
    assert!(!html.contains("alert(1)</script>"));
    // Every address is a place on the page itself, and no attribute runs or styles anything.
    for rest in html.split(" href=\"").skip(1) {
        assert!(rest.starts_with('#'), "{rest:.80}");
    }
    for attribute in [" src=", " style=", " onerror=", " onclick="] {
        assert!(!html.contains(attribute), "{attribute}");
    }
    // As often as it is shown it is whole; the longest part of it that nothing is done to is looked for.
    let shown = html.matches("&lt;/details&gt;&lt;script&gt;alert(1)&lt;/script&gt;").count();
    assert!(shown > 40, "{shown}");
}

#[test]
fn a_changed_word_is_marked_and_a_value_with_nothing_in_common_as_a_whole() {
    let html = body(&sample());
    assert!(html.contains("<bdi>the <del>old</del> shop of the north</bdi>"), "{html}");
    assert!(html.contains("<bdi>the <ins>new</ins> shop of the north</bdi>"), "{html}");
    assert!(html.contains("<bdi><ins>basic</ins></bdi>"), "{html}");
}

#[test]
fn of_a_long_run_what_went_wrong_is_drawn_before_what_went_well() {
    let it = long_run(3000);
    let html = render(&it, &Context::default());
    let (picture, below) = html.split_once("</figure>").unwrap();
    assert_eq!(picture.matches("<li class=\"lane\">").count(), 200);
    assert_eq!(picture.matches("throttled 49.10").count(), 2, "on its bar and on its row");
    assert_eq!(picture.matches("<title>throttled ").count(), 30);
    assert!(picture.contains("200 of 3000 steps are shown"));
    assert!(picture.contains("<summary>160 more</summary>"));
    assert_eq!(below.matches("<ol class=\"calls\">").count(), 3000);
}

#[test]
fn five_thousand_orders_are_a_page_that_a_browser_opens_at_once() {
    let html = render(&large(5000), &Context::default());
    assert!(html.len() < 3_500_000, "{} bytes", html.len());
}

#[test]
fn env_ids_lead_to_the_console_and_nothing_else_does() {
    let mut report = sample();
    assert!(!body(&report).contains("https:"), "the sandbox has no console");
    report.in_console = true;
    let url = "https://tcb.cloud.tencent.com/dev?envId=old-1a2b";
    assert!(body(&report).contains(&format!("<a href=\"{url}\" rel=\"noopener noreferrer\">")));
    let markdown = crate::report::markdown::render(&report, &Context::default());
    assert!(markdown.contains(&format!("[console]({url})")), "{markdown}");
    let mut report = hostile();
    report.in_console = true;
    for entry in &mut report.entries {
        "env_id".clone_into(&mut entry.fields[1].name);
    }
    assert!(!body(&report).contains("https://tcb"), "an id that is no id has no page");
}
