//! Reports that the formats are tested with.

use std::fmt::Write as _;
use std::time::Duration;

use super::document::View as _;
use super::drift::DriftView;
use super::fields;
use super::plan::{Detail, PlanView};
use super::view::{Kind, Provenance, Report, Request, Tone};
use crate::apply::{Call, CallKind};
use crate::diagnostic::Diagnostic;
use crate::i18n::{Lang, Text};
use crate::kinds::postpay;
use crate::model::{Address, Attributes, Field, SourceRef};
use crate::plan::{Action, Ids, Options, Plan, Reason, Step, StepBlocker};
use crate::state::{Account, Serial};

/// What nobody should be able to do anything with.
pub(super) const HOSTILE: &str = "</script></details><script>alert(1)</script> ```\n\n| a | b `x` @admin #1 \
    [x](https://evil.example) http://evil.example %0A::error::x ]]> &amp; \u{0}\u{1b}[31m\u{202e}gnol 很长的中文名字很长的中文名字 שלום --> ' \"";

fn attributes(pairs: &[(Field, &str)]) -> Attributes {
    pairs.iter().map(|(field, value)| (*field, (*value).to_owned())).collect()
}

pub(super) fn step(address: &str, line: u32, action: Action, reason: Reason) -> Step {
    Step {
        address: Address::new(address).unwrap(),
        previous_address: None,
        deposed: false,
        action,
        reason,
        blocker: None,
        before: None,
        after: None,
        changed: Vec::new(),
        was_protected: false,
        prevent_destroy: false,
        ids: Ids::default(),
        source: SourceRef { file: "environments/shop.yaml".to_owned(), line },
    }
}

pub(super) fn plan_of(steps: Vec<Step>) -> Plan {
    Plan {
        format_version: crate::state::FormatVersion,
        tool_version: "0.0.0".to_owned(),
        created_at: "2026-01-02T03:04:05Z".parse().unwrap(),
        lineage: None,
        serial: Serial(7),
        state_path: "state/postpay.state.json".to_owned(),
        account: Account { endpoint: "sandbox".to_owned(), uin: None },
        endpoint: "sandbox".to_owned(),
        region: None,
        guards: crate::plan::Guards::default(),
        prices: None,
        cost: None,
        manifests: Vec::new(),
        options: Options::default(),
        git: None,
        drift: None,
        summary: crate::plan::Summary::count(&steps, &crate::plan::Mode::Normal),
        steps,
        checksum: String::new(),
    }
}

fn plan_report(plan: &Plan, diagnostics: Vec<Diagnostic>, requests: &[Request]) -> Report {
    let view = PlanView { plan, rate: 2.0, requests, detail: Detail::Folded, diagnostics };
    view.report(Lang::En).unwrap()
}

/// A plan with something of everything.
pub(super) fn sample() -> Report {
    let create = Step {
        after: Some(attributes(&[
            (postpay::ALIAS, "shop-prod"),
            (postpay::ENV_SOURCE, "qcloud"),
            (postpay::EXTRA, r#"{"owner":"platform"}"#),
        ])),
        ..step("shop-prod", 3, Action::Create, Reason::NotOrdered)
    };
    let replace = Step {
        blocker: Some(StepBlocker::Replacement),
        before: Some(attributes(&[
            (postpay::ALIAS, "old"),
            (postpay::ENV_ALIAS, "the old shop of the north"),
        ])),
        after: Some(attributes(&[
            (postpay::ALIAS, "old"),
            (postpay::ENV_ALIAS, "the new shop of the north"),
            (postpay::FREE_QUOTA, "basic"),
        ])),
        changed: vec!["free_quota".to_owned(), "env_alias".to_owned()],
        ids: Ids { env_id: Some("old-1a2b".to_owned()), ..Ids::default() },
        ..step("shop-old", 12, Action::Replace, Reason::CannotUpdate)
    };
    let left_over = Step {
        blocker: Some(StepBlocker::DestroyNotAllowed),
        ..step("shop-gone", 20, Action::Destroy, Reason::NotDeclared)
    };
    let planned = plan_of(vec![
        create,
        replace,
        step("shop-lost", 30, Action::Resolve, Reason::OutcomeUnknown),
        step("shop-late", 40, Action::Wait, Reason::AwaitingEnvId),
        left_over,
        step("shop-same", 50, Action::NoOp, Reason::Unchanged),
    ]);
    let file = std::sync::Arc::new(crate::diagnostic::SourceFile::new(
        "environments/shop.yaml",
        "version: 1\nenvironments:\n  shop-prod: {source: quloud}\n",
    ));
    let span = crate::diagnostic::Span { file, bytes: 46..52 };
    let told = Diagnostic::warning("unusual-source", "`quloud` is no source that is known")
        .at(&span, "here")
        .help("did you mean `qcloud`?");
    let requests = vec![Request {
        name: "shop-prod".to_owned(),
        text: "POST / (sandbox)\nX-TC-Action: CreatePostpayPackage\n\n{}".to_owned(),
    }];
    plan_report(&planned, vec![told], &requests)
}

/// A page in which every text that somebody else chose is hostile.
pub(super) fn hostile() -> Report {
    let mut page = sample();
    page.findings[0].message = HOSTILE.to_owned();
    page.findings[0].help = vec![HOSTILE.to_owned()];
    page.facts.push(("hostile".to_owned(), HOSTILE.to_owned()));
    page.requests[0].text = HOSTILE.to_owned();
    for entry in &mut page.entries {
        entry.name = HOSTILE.to_owned();
        entry.remarks = vec![HOSTILE.to_owned()];
        if let Some(place) = &mut entry.place {
            place.file = HOSTILE.to_owned();
        }
        let row = |value| fields::Row { name: HOSTILE.to_owned(), value };
        let text = || HOSTILE.to_owned();
        entry.fields = vec![
            row(fields::Value::Text(text())),
            row(fields::Value::Word(text())),
            row(fields::Value::KnownAfter),
            row(fields::Value::Changed(Some(text()), Some(text() + " x"))),
            row(fields::Value::Changed(None, Some(text()))),
            row(fields::Value::Becomes(text(), None)),
        ];
    }
    page.findings[0].place = page.entries[0].place.clone();
    page
}

/// A run of three, in which one was throttled first, and one answer was lost.
pub(super) fn run_page() -> Report {
    let ms = Duration::from_millis;
    let call = |sent, answered, kind| Call { sent: ms(sent), answered: ms(answered), kind };
    let mut page = sample();
    page.kind = Kind::Apply;
    page.took = Some(ms(4200));
    page.entries.truncate(3);
    page.entries[0].calls = vec![call(0, 300, CallKind::Throttled), call(1500, 1900, CallKind::Taken)];
    page.entries[1].calls = vec![call(500, 900, CallKind::Refused)];
    page.entries[2].calls = vec![call(2000, 4200, CallKind::Unknown)];
    page.findings.clear();
    page
}

/// A plan with `n` orders.
pub(super) fn large(n: u32) -> Report {
    let steps = (1..=n).map(|line| {
        let address = format!("shop-{line}");
        Step {
            after: Some(attributes(&[
                (postpay::ALIAS, &address),
                (postpay::ENV_ALIAS, "an environment for a shop"),
                (postpay::ENV_SOURCE, "qcloud"),
            ])),
            ..step(&address, line, Action::Create, Reason::NotOrdered)
        }
    });
    plan_report(&plan_of(steps.collect()), Vec::new(), &[])
}

#[test]
fn what_is_worst_comes_first_and_is_tied_to_its_entry() {
    let page = sample();
    let mut told = String::new();
    for finding in &page.findings {
        let about = finding.entry.map_or("-", |at| page.entries[at].name.as_str());
        let _ = writeln!(told, "{:?} {} {about}", finding.level, finding.code);
    }
    assert_eq!(
        told,
        "Error replacement shop-old\nError outcome_unknown shop-lost\nWarning unusual-source -\n\
         Warning destroy_not_allowed shop-gone\nNote awaiting_env_id shop-late\n"
    );
    assert_eq!(page.tone, Tone::Bad);
}

/// A drift with a finding of each standing.
pub(super) fn drift_page() -> Report {
    use crate::drift::{Code, Drift, Finding, Standing};
    let finding = |code, address: Option<&str>, standing| Finding {
        code,
        address: address.map(|address| Address::new(address).unwrap()),
        deposed: false,
        env_id: Some("env-1a2b".to_owned()),
        expected: Some(Text::same("shop")),
        found: Some(Text::same("the shop")),
        source: address.map(|_| SourceRef { file: "environments/shop.yaml".to_owned(), line: 7 }),
        standing,
        reason: (standing == Standing::Ignored).then(|| Text::same("known")),
        next: Text::same("postpay plan"),
    };
    let ignored = Standing::Ignored;
    let found = Drift {
        findings: vec![
            finding(Code::AliasChanged, Some("shop-prod"), Standing::Counted),
            finding(Code::SourceChanged, Some("shop-old"), ignored),
            finding(Code::Unmanaged, None, Standing::NotCounted),
            finding(Code::Gone, Some("shop-gone"), Standing::Counted),
        ],
        declared: 3,
        recorded: 3,
        seen: Some(3),
    };
    DriftView::new(&found, Vec::new(), Provenance::default()).report(Lang::En).unwrap()
}
