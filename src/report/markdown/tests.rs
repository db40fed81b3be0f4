//! Pages as Markdown: how they look, that they fit, and that nothing in them is more than shown.

use proptest::prelude::*;

use super::*;
use crate::report::tests::{HOSTILE, drift_page, hostile, large, run_page, sample};

fn shown(page: &Report, setting: &Context) -> String {
    render_within(page, setting, COMMENT)
}

#[test]
fn a_plan_is_a_verdict_what_is_wrong_and_what_changes() {
    let version = format!("postpay `{}`", env!("CARGO_PKG_VERSION"));
    let text = shown(&sample(), &Context::default());
    insta::assert_snapshot!(text.replace(&version, "postpay `VERSION`"));
}

#[test]
fn a_drift_is_a_block_for_every_code() {
    let version = format!("postpay `{}`", env!("CARGO_PKG_VERSION"));
    let text = shown(&drift_page(), &Context::default());
    insta::assert_snapshot!(text.replace(&version, "postpay `VERSION`"));
}

#[test]
fn a_run_and_another_language_have_their_own_words() {
    let text = shown(&run_page(), &Context::default());
    assert!(text.starts_with("<!-- postpay:apply -->\n## ❌ postpay apply: action required\n"), "{text}");
    let mut page = sample();
    page.lang = Lang::Zh;
    let text = shown(&page, &Context::default());
    assert!(text.contains("需要人工处理"), "{text}");
}

#[test]
fn a_project_has_a_marker_of_its_own() {
    let setting = Context { key: Some("infra/--> @all".to_owned()), ..Context::default() };
    let text = shown(&sample(), &setting);
    assert!(text.starts_with("<!-- postpay:plan:infra/-%2D%3E%20%40all -->\n"), "{text}");
}

#[test]
fn what_does_not_fit_is_left_out_whole_and_told() {
    let page = large(5_000);
    let setting = Context { complete: Some("plan.html".to_owned()), ..Context::default() };
    let text = shown(&page, &setting);
    assert!(text.len() <= COMMENT && text.len() > COMMENT * 9 / 10, "{}", text.len());
    assert_sound(&text);
    let shown = text.matches("- `+` `shop-").count();
    let note = format!("does not fit here:** {} create. See `plan.html` for all of it.", 5_000 - shown);
    assert!(text.contains(&note), "{note}");
    let whole = render_within(&page, &setting, usize::MAX / 2);
    assert!(!whole.contains("Omitted"));
    assert_eq!(whole.matches("- `+` `shop-").count(), 5_000);
}

#[test]
fn an_entry_that_is_too_long_takes_no_other_with_it() {
    let mut page = large(3);
    page.entries[1].remarks = vec!["中".repeat(COMMENT)];
    let text = shown(&page, &Context::default());
    assert_eq!(text.matches("- `+` `shop-").count(), 2);
    assert!(text.contains("1 create. For all of it: `postpay plan`"), "{text}");
    assert_sound(&text);
}

#[test]
fn where_nothing_fits_there_is_nothing() {
    assert_eq!(render_within(&sample(), &Context::default(), 100), "");
}

#[test]
fn hostile_texts_are_shown_and_do_nothing() {
    let setting =
        Context { key: Some(HOSTILE.to_owned()), complete: Some(HOSTILE.to_owned()), folder: "a".to_owned() };
    let text = shown(&hostile(), &setting);
    assert_sound(&text);
    assert!(text.contains("很长的中文名字"));
}

/// Fences and details are closed, and outside of code nothing means anything.
fn assert_sound(text: &str) {
    let mut fence: Option<String> = None;
    let mut depth = 0;
    let mut lines = text.lines();
    let marker = lines.next().unwrap();
    assert!(marker.starts_with("<!-- postpay:") && marker.ends_with(" -->"), "{marker}");
    // Where it is opened and where it is closed: nothing in it ends it earlier.
    assert_eq!(marker.matches("--").count(), 2, "{marker}");
    for line in lines {
        let ticks: String = line.trim_start().chars().take_while(|c| *c == '`').collect();
        if let Some(open) = &fence {
            if line.trim_start() == ticks && ticks.len() >= open.len() {
                fence = None;
            }
            continue;
        }
        let rest = line.trim_start().trim_start_matches('`');
        if ticks.len() >= 3 && !rest.contains('`') {
            fence = Some(ticks);
            continue;
        }
        match line {
            line if line.starts_with("<details><summary>") => depth += 1,
            "</details>" => depth -= 1,
            line => {
                let bare = without_code(line);
                let bare = bare.trim_start_matches("<sub>").trim_end_matches("</sub>");
                let bare = bare.trim_start_matches('#');
                let bad = ['<', '>', '@', '#', '[', ']', '`', '&', '\u{202e}', '\u{1b}'];
                assert!(!bare.contains(bad) && !bare.contains("//"), "{bare}");
                assert!(!bare.contains('|') || line.starts_with("| ") || line.starts_with("|:"), "{line}");
            }
        }
        assert!((0..=1).contains(&depth), "{line}");
    }
    assert!(fence.is_none() && depth == 0, "{text}");
    assert!(text.ends_with("</sub>\n"), "{text}");
}

/// A line without its code spans, by the rule of CommonMark: a run of backticks is closed by the next one as long.
fn without_code(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(start) = rest.find('`') {
        out.push_str(&rest[..start]);
        let run = rest[start..].len() - rest[start..].trim_start_matches('`').len();
        let inner = &rest[start + run..];
        let mut at = 0;
        let close = loop {
            let Some(found) = inner[at..].find('`') else {
                break None;
            };
            let begin = at + found;
            let length = inner[begin..].len() - inner[begin..].trim_start_matches('`').len();
            if length == run {
                break Some(begin + length);
            }
            at = begin + length;
        };
        let Some(end) = close else {
            out.push_str(&rest[start..]);
            return out;
        };
        out.push('x');
        rest = &inner[end..];
    }
    out + rest
}

/// Texts of what Markdown, HTML and GitHub give a meaning to.
fn nasty() -> impl Strategy<Value = String> {
    let parts = prop_oneof![
        Just("`"),
        Just("```"),
        Just("~~~"),
        Just("</details>"),
        Just("<details>"),
        Just("-->"),
        Just("<!--"),
        Just("@team"),
        Just("#1"),
        Just("|"),
        Just("\n"),
        Just("\r\n\r\n"),
        Just(" "),
        Just("\u{202e}"),
        Just("[a](b)"),
        Just("http://x"),
        Just("www.x.y"),
        Just("很长"),
        Just("👩‍👩‍👧"),
        Just("\u{0}"),
        Just("a"),
        Just("\\"),
        Just("&#64;x"),
        Just("- [ ] "),
        Just("    "),
        Just("$x$"),
        Just("שלום"),
    ];
    prop::collection::vec(parts, 0..40).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1 + ProptestConfig::default().cases / 4))]

    #[test]
    fn whatever_the_texts_are_it_fits_and_everything_is_closed(
        texts in prop::collection::vec(nasty(), 6),
        copies in 0_usize..60,
        cap in 3_000_usize..COMMENT,
    ) {
        let mut page = hostile();
        page.summary = vec![format!("x {}", texts[0])];
        for (at, finding) in page.findings.iter_mut().enumerate() {
            finding.message.clone_from(&texts[at % 6]);
            finding.help = vec![texts[(at + 1) % 6].clone()];
        }
        for (at, entry) in page.entries.iter_mut().enumerate() {
            entry.name.clone_from(&texts[(at + 2) % 6]);
            entry.remarks = vec![texts[(at + 3) % 6].clone()];
            entry.fields[0].name.clone_from(&texts[(at + 4) % 6]);
        }
        page.requests[0].text.clone_from(&texts[5]);
        let entries = page.entries.clone();
        for _ in 0..copies {
            page.entries.extend(entries.iter().cloned());
        }
        page.facts.push(("nasty".to_owned(), texts[1].clone()));
        let setting = Context { key: Some(texts[2].clone()), complete: Some(texts[3].clone()), folder: String::new() };
        let text = render_within(&page, &setting, cap);
        prop_assert!(text.len() <= cap);
        if !text.is_empty() {
            assert_sound(&text);
        }
    }
}
