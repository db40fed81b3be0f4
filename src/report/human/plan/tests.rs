use super::*;
use crate::i18n::Lang;
use crate::kinds::postpay;
use crate::model::{Attributes, Field};
use crate::plan::{Ids, StepBlocker};
use crate::report::page::tests::{plan_of, step};
use crate::report::text::width;

fn attributes(pairs: &[(Field, &str)]) -> Attributes {
    pairs.iter().map(|(field, value)| (*field, (*value).to_owned())).collect()
}

fn create(address: &str, more: &[(Field, &str)]) -> Step {
    let pairs =
        [(postpay::ENV_SOURCE, "qcloud"), (postpay::CHANNEL, "qc_console"), (postpay::ALIAS, address)];
    Step {
        after: Some(attributes(&[&pairs[..], more].concat())),
        ..step(address, 3, Action::Create, Reason::NotOrdered)
    }
}

/// A step that changes `before` into `after`.
fn change(action: Action, before: &[(Field, &str)], after: &[(Field, &str)]) -> Step {
    let kept = [(postpay::ENV_SOURCE, "qcloud"), (postpay::CHANNEL, "qc_console")];
    let fields = before.iter().chain(after).map(|(field, _)| field.name.to_owned());
    let changed: std::collections::BTreeSet<String> = fields.collect();
    Step {
        before: Some(attributes(&[&kept[..], before].concat())),
        after: Some(attributes(&[&kept[..], after].concat())),
        changed: changed.into_iter().collect(),
        ids: Ids {
            env_id: Some("shop-1".into()),
            tran_id: Some("2026".into()),
            request_id: Some("r".into()),
        },
        blocker: (action == Action::Replace).then_some(StepBlocker::Replacement),
        ..step("shop", 9, action, Reason::UpdatedInPlace)
    }
}

#[test]
fn what_is_common_or_unchanged_is_folded_and_what_forces_replacement_is_marked() {
    let alias = |value| (postpay::ALIAS, value);
    let name = |value| (postpay::ENV_ALIAS, value);
    let quota = (postpay::FREE_QUOTA, "basic");
    // The steps, the lines of the last one but its head, and whether the common values are listed.
    let cases: [(Vec<Step>, &[&str], bool); 6] = [
        (
            vec![create("one", &[])],
            &[r#"    env_source = "qcloud", channel = "qc_console", alias = "one""#],
            false,
        ),
        (vec![create("one", &[]), create("two", &[])], &[r#"    alias = "two"   (+ 2 common)"#], true),
        (
            vec![create("one", &[]), create("two", &[name("x")])],
            &[r#"    alias = "two", env_alias = "x"   (+ 2 common)"#],
            true,
        ),
        (
            vec![change(Action::Update, &[alias("a b")], &[alias("a c")])],
            &[r#"    ~ alias  "a b" -> "a c""#, "    env_id shop-1 · order 2026  (2 unchanged)"],
            false,
        ),
        (
            vec![change(Action::Replace, &[alias("a"), name("x")], &[alias("b"), name("y")])],
            &[
                r#"    ~ alias      "a" -> "b""#,
                r#"    ~ env_alias  "x" -> "y"  # forces replacement"#,
                "    env_id shop-1 · order 2026  (2 unchanged)",
            ],
            false,
        ),
        (
            vec![change(Action::Replace, &[name("x")], &[quota])],
            &[
                r#"    - env_alias   "x"  # forces replacement"#,
                r#"    + free_quota  "basic"  # forces replacement"#,
                "    env_id shop-1 · order 2026  (2 unchanged)",
            ],
            false,
        ),
    ];
    for (steps, expected, lists_common) in cases {
        let head = format!("{}", steps.last().unwrap().address);
        let text = plan(&plan_of(steps), 2.0, Look::PLAIN);
        let lines: Vec<&str> = text.lines().collect();
        let at = lines.iter().rposition(|line| line.contains(&head) && line.contains("shop.yaml")).unwrap();
        let squeeze = |line: &str| match line.split_once("   ").filter(|_| line.contains("(+ ")) {
            Some(_) => format!("{}   (+ 2 common)", line[..line.find("  (+").unwrap_or(0)].trim_end()),
            None => line.to_owned(),
        };
        let shown: Vec<String> = lines[at + 1..][..expected.len()].iter().map(|line| squeeze(line)).collect();
        assert_eq!(shown, expected, "{text}");
        assert_eq!(text.contains("Common to all: env_source"), lists_common, "{text}");
        assert!(text.contains("blocked") == text.contains("# forces replacement"), "{text}");
    }
}

#[test]
fn thirty_creates_fit_two_screens_and_everything_is_there_on_request() {
    let steps = || (0..30).map(|n| create(&format!("shop-{n}"), &[])).collect();
    let folded = plan(&plan_of(steps()), 2.0, Look::PLAIN);
    assert!(folded.lines().count() <= 70, "{folded}");
    let full = detailed(&plan_of(steps()), 2.0, Detail::Full, Look::PLAIN);
    assert_eq!(full.matches("      channel     \"qc_console\"").count(), 30, "{full}");
}

#[test]
fn lines_are_wrapped_to_the_terminal_in_both_languages() {
    let change = change(
        Action::Replace,
        &[(postpay::ENV_ALIAS, "商店 · 生产")],
        &[(postpay::ENV_ALIAS, "商店 · 生产 · 华东 · 上海 · 第一区")],
    );
    let wide = create(
        "two",
        &[(postpay::ENV_ALIAS, "商店 · 生产 · 华东 · 上海 · 第一区"), (postpay::FLAG, "QuickStart")],
    );
    let plan_ = plan_of(vec![create("one", &[]), wide, change]);
    for (lang, columns) in [(Lang::En, 60), (Lang::En, 80), (Lang::Zh, 60), (Lang::Zh, 80)] {
        let text = plan(&plan_, 2.0, Look { lang, columns: Some(columns), ..Look::PLAIN });
        for line in text.lines() {
            assert!(width(line) <= columns, "{columns}: {line}");
        }
    }
}
