//! The HTML report in a real browser: it shows, picks out, says nothing on the console, and nothing that a manifest or the
//! vendor chose is anything but text. Where no browser is, these tests say so and pass.

mod browser;

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use browser::{Seen, View, browser, look};
use jiff::Timestamp;
use postpay::apply::{Call, CallKind};
use postpay::check::{Options as Rules, check};
use postpay::diagnostic::any_error;
use postpay::i18n::Lang;
use postpay::kinds::postpay as fields;
use postpay::manifest;
use postpay::model::Attributes;
use postpay::plan::{Action, Options, Plan, Reason, Target};
use postpay::report::document::View as _;
use postpay::report::html;
use postpay::report::plan::{Detail, PlanView};
use postpay::report::view::{self, Context, Kind, Label, Report, Request};
use postpay::state::Account;
use serde_json::json;

use crate::support::Project;

/// What wants to be markup, an attribute, a link, a script, a policy of its own; what is long; what reads from the right.
const HOSTILE: [&str; 6] = [
    "<script>parent.owned = window.owned = 1</script>",
    "\"><img src=x onerror=\"window.owned=1\"><a href=\"javascript:owned=1\">",
    "</title></style></script></pre></details><meta http-equiv=refresh content=0>",
    "很长的中文名字很长的中文名字很长的中文名字很长的中文名字很长的中文名字很长的中文名字很长的中文名字很长的中文名字",
    "שלום עולם \u{202e}dlrow olleh\u{202c} مرحبا",
    "&lt;b&gt; &amp; &#60; ]]> --> ${owned} `x` '",
];

/// Six orders, of which one replaces, one is changed in place, and two are as they should be.
fn plan(aliases: [&str; 6], lang: Lang) -> Report {
    let folder = crate::support::folder();
    let mut text = "version: 1\nenvironments:\n".to_owned();
    for (n, alias) in (1..).zip(aliases) {
        // A manifest in which a text turns the line around is refused: that part comes later.
        let alias = alias.replace(['\u{202e}', '\u{202c}'], "");
        let alias = serde_json::to_string(&alias).unwrap();
        let _ = writeln!(
            text,
            "  shop-{n}: {{env_source: qcloud, channel: qc_console, alias: shop-{n}, env_alias: {alias}}}"
        );
    }
    fs::write(folder.path().join("shop.yaml"), text).unwrap();
    let bounds = manifest::Bounds { project: folder.path(), typed: true };
    let loaded = manifest::load(folder.path(), &[PathBuf::from("shop.yaml")], bounds, None);
    let checked = check(&loaded, Rules::default());
    assert!(!any_error(&checked.diagnostics), "{:#?}", checked.diagnostics);
    let desired = checked.desired;
    let target = Target {
        account: Account { endpoint: "sandbox".to_owned(), uin: None },
        endpoint: "sandbox".to_owned(),
        region: None,
        state_path: "state/postpay.state.json".to_owned(),
    };
    let (selection, now) = (Options::default(), Timestamp::UNIX_EPOCH);
    let mut plan = Plan::make(&desired, None, selection, target, now).unwrap();
    for ((at, step), alias) in plan.steps.iter_mut().enumerate().zip(aliases) {
        let with = |text: &str| -> Attributes {
            let mut attributes = step.after.clone().unwrap_or_default();
            attributes.set(fields::ENV_ALIAS, text);
            attributes
        };
        let old = with(&format!("old {alias}"));
        step.after = Some(with(alias));
        if [1, 2].contains(&at) {
            step.changed = vec!["env_alias".to_owned()];
        }
        match at {
            1 => {
                (step.action, step.reason, step.before) = (Action::Replace, Reason::CannotUpdate, Some(old));
            }
            2 => {
                (step.action, step.reason, step.before) = (Action::Update, Reason::UpdatedInPlace, Some(old));
            }
            4 | 5 => {
                (step.action, step.reason, step.after) = (Action::NoOp, Reason::Unchanged, None);
            }
            _ => {}
        }
    }
    let requests = plan.steps.iter().take(4).map(|step| Request {
        name: step.address.to_string(),
        text: format!("POST / (sandbox)\nX-TC-Action: CreatePostpayPackage\n\n{}", aliases.join("\n")),
    });
    let requests: Vec<Request> = requests.collect();
    let view = PlanView {
        plan: &plan,
        rate: 2.0,
        requests: &requests,
        detail: Detail::Folded,
        diagnostics: checked.diagnostics,
    };
    view.report(lang).unwrap()
}

/// The same as a run, with one request of every kind.
fn run(aliases: [&str; 6], lang: Lang) -> Report {
    let mut page = plan(aliases, lang);
    page.kind = Kind::Apply;
    page.took = Some(Duration::from_secs(7));
    page.requests.clear();
    let call = |sent, answered, kind| Call {
        sent: Duration::from_millis(sent),
        answered: Duration::from_millis(answered),
        kind,
    };
    let calls = [
        vec![call(0, 300, CallKind::Throttled), call(1500, 1900, CallKind::Taken)],
        vec![call(500, 900, CallKind::Refused)],
        vec![call(2000, 4200, CallKind::Unknown)],
        vec![call(2500, 3500, CallKind::NotSent), call(6000, 7000, CallKind::Taken)],
    ];
    for (entry, calls) in page.entries.iter_mut().zip(calls) {
        entry.calls = calls;
        entry.outcome = Some(Label { name: "created", text: "created".to_owned() });
    }
    page.entries[1].outcome = Some(Label { name: "failed", text: "failed".to_owned() });
    page
}

const PLAIN: [&str; 6] = ["the shop of the north", "b", "c", "d", "e", "f"];

/// The page with every text hostile that somebody else chooses.
fn hostile(mut page: Report) -> Report {
    for ((at, entry), text) in page.entries.iter_mut().enumerate().zip(HOSTILE) {
        entry.name = format!("{at} {text}");
        entry.remarks = vec![text.to_owned()];
        if let Some(place) = &mut entry.place {
            text.clone_into(&mut place.file);
        }
    }
    for text in HOSTILE {
        page.summary.push(text.to_owned());
        page.facts.push(("commit".to_owned(), text.to_owned()));
        for request in &mut page.requests {
            request.name = format!("{} {text}", request.name);
        }
    }
    page.findings = HOSTILE
        .iter()
        .zip(0..)
        .map(|(text, at)| view::Finding {
            level: view::Level::Error,
            code: "a-code",
            message: (*text).to_owned(),
            help: vec![(*text).to_owned()],
            place: page.entries[at].place.clone(),
            entry: Some(at),
        })
        .collect();
    page
}

fn show(page: &Report) -> String {
    html::render(
        page,
        &Context { key: Some(HOSTILE[0].to_owned()), folder: HOSTILE[1].to_owned(), complete: None },
    )
}

/// The script's own help: which elements are to be seen, and the entries among them.
const HELP: &str = "
    const seen = (one) => one.checkVisibility({ contentVisibilityAuto: false });
    const visible = (selector) => [...doc.querySelectorAll(selector)].filter(seen);
    const names = () => visible('article').map((one) => one.querySelector('.name').textContent);
    const button = (key, word) => doc.querySelector(`#filter button[data-${key}='${word}']`);
    const type = (text) => {
      const box = doc.getElementById('find');
      box.value = text;
      box.dispatchEvent(new win.Event('input'));
    };
    const said = () => doc.getElementById('shown').textContent;
";

fn ask(page: &str, view: View, script: &str) -> Option<Seen> {
    let script = format!("{HELP}\n{script}");
    Some(look(browser()?, page, view, &script))
}

#[test]
fn entries_are_picked_by_action_by_outcome_and_by_address() {
    let script = "
        found.all = names();
        found.folded = visible('#quiet > summary').map((one) => one.textContent);
        found.said = [said()];
        button('a', 'replace').click();
        found.replace = names();
        found.pressed = button('a', 'replace').getAttribute('aria-pressed');
        found.said.push(said());
        button('a', 'update').click();
        found.two = names();
        button('a', 'replace').click();
        button('a', 'update').click();
        button('a', 'no-op').click();
        found.quiet = names();
        doc.getElementById('clear').click();
        found.cleared = names();
        type('SHOP-5');
        found.typed = names();
        found.requests = visible('.requests > li').length;
        type('nobody');
        found.nobody = names();
        found.none = visible('#none').length;
        found.said.push(said());
        // Following a link to an entry that is not shown shows it.
        win.location.hash = '#e5';
        win.dispatchEvent(new win.HashChangeEvent('hashchange'));
        found.followed = names().length;
    ";
    let Some(seen) = ask(&show(&plan(PLAIN, Lang::En)), View::DESK, script) else {
        return;
    };
    let shown = ["shop-1", "shop-2", "shop-3", "shop-4"];
    assert_eq!(
        seen.found,
        json!({
            "all": shown,
            "folded": ["2 unchanged"],
            "said": ["4 of 6 shown", "1 of 6 shown", "0 of 6 shown"],
            "replace": ["shop-2"],
            "pressed": "true",
            "two": ["shop-2", "shop-3"],
            "quiet": ["shop-5", "shop-6"],
            "cleared": shown,
            "typed": ["shop-5"],
            "requests": 0,
            "nobody": [],
            "none": 1,
            "followed": 6,
        })
    );
    assert_eq!(seen.console, Vec::<String>::new());
}

#[test]
fn a_run_is_a_picture_and_is_picked_by_outcome() {
    let script = "
        found.language = doc.documentElement.lang;
        const bars = [...doc.querySelectorAll('.rows rect')];
        found.bars = bars.map((one) => one.getAttribute('class'));
        found.drawn = bars.every((one) => one.getBoundingClientRect().width > 0);
        found.words = visible('.rows svg[role=img]').map((one) => one.getAttribute('aria-label'));
        found.waits = visible('.rows .wait').length;
        // A second apart is a second apart, wherever it is.
        const left = (one) => one.getBoundingClientRect().left;
        const second = (left(bars[1]) - left(bars[0])) / 1.5;
        found.scale = bars.length > 5 && Math.abs(left(bars[5]) - left(bars[4]) - 3.5 * second) < 1.5;
        button('o', 'failed').click();
        found.failed = names();
    ";
    let Some(seen) = ask(&show(&run(PLAIN, Lang::Zh)), View::DESK, script) else {
        return;
    };
    assert_eq!(
        seen.found,
        json!({
            "language": "zh-CN",
            "bars": ["throttled", "taken", "refused", "unknown", "not-sent", "taken"],
            "drawn": true,
            "words": [
                "被限流 0.00–0.30 s, 已受理 1.50–1.90 s",
                "被拒绝 0.50–0.90 s",
                "结果未知 2.00–4.20 s",
                "未送达 2.50–3.50 s, 已受理 6.00–7.00 s",
            ],
            "waits": 2,
            "scale": true,
            "failed": ["shop-2"],
        })
    );
    assert_eq!(seen.console, Vec::<String>::new());
}

#[test]
fn what_is_hostile_stays_text_and_what_is_long_stays_on_a_phone() {
    let script = "
        const kept = (text) => text.replace(/[\\u202a-\\u202e]/g, (c) => `\\\\u{${c.codePointAt(0).toString(16)}}`);
        const hostile = HOSTILE;
        found.owned = [typeof window.owned, typeof win.owned];
        found.names = [...doc.querySelectorAll('article .name')].every((one) => {
          const at = Number(one.closest('article').id.slice(1));
          return one.textContent === `${at} ${kept(hostile[at])}`;
        });
        found.values = hostile.slice(0, 4).every((text, at) =>
          [...doc.querySelectorAll(`#e${at} dd`)].some((one) => one.textContent.includes(kept(text))));
        found.scripts = doc.querySelectorAll('script').length;
        found.strangers = [...new Set([...doc.querySelectorAll('img, iframe, object, embed, form, base, link, audio, video')]
          .map((one) => one.localName))];
        found.metas = doc.querySelectorAll('meta').length;
        const all = [...doc.querySelectorAll('*')];
        found.handlers = all.filter((one) => [...one.attributes].some((it) => it.name.startsWith('on') || it.name === 'style')).length;
        found.links = all.filter((one) => ['href', 'src', 'action', 'xlink:href'].some((name) =>
          one.hasAttribute(name) && !/^#[a-z0-9]+$/.test(one.getAttribute(name)))).length;
        for (const one of doc.querySelectorAll('details')) one.open = true;
        found.width = doc.documentElement.scrollWidth;
        found.wide = [...doc.querySelectorAll('body *')]
          .filter((one) => one.getBoundingClientRect().right > 360.5 && !one.closest('svg, .lane > a, .finding a'))
          .map((one) => one.outerHTML.slice(0, 80));
    "
    .replace("HOSTILE", &serde_json::to_string(&HOSTILE).unwrap().replace('<', "\\u003c"));
    let phone = View { width: 360, ..View::DESK };
    for page in [plan(HOSTILE, Lang::En), run(HOSTILE, Lang::Zh)] {
        let Some(seen) = ask(&show(&hostile(page)), phone, &script) else {
            return;
        };
        assert_eq!(
            seen.found,
            json!({
                "owned": ["undefined", "undefined"],
                "names": true,
                "values": true,
                "scripts": 1,
                "strangers": [],
                "metas": 6,
                "handlers": 0,
                "links": 0,
                "width": 360,
                "wide": [],
            })
        );
        assert_eq!(seen.console, Vec::<String>::new());
    }
}

#[test]
fn even_what_would_get_into_the_page_could_not_run() {
    let page = show(&plan(PLAIN, Lang::En))
        .replace("<h1>", "<script>parent.owned = 1</script><img src=x onerror='parent.owned = 1'><h1>");
    let Some(seen) = ask(&page, View::DESK, "found.owned = typeof window.owned;") else {
        return;
    };
    assert_eq!(seen.found, json!({ "owned": "undefined" }));
    let refused = seen.console.join("\n");
    assert!(refused.contains("Content Security Policy"), "{refused}");
}

#[test]
fn without_a_script_everything_is_there_and_nothing_that_needs_one() {
    let script = "
        found.names = names();
        found.controls = visible('#filter, #none').length;
        found.tally = visible('.tally p').map((one) => one.textContent);
        doc.getElementById('quiet').open = true;
        found.unfolded = names().length;
    ";
    let view = View { scripts: false, ..View::DESK };
    let Some(seen) = ask(&show(&plan(PLAIN, Lang::En)), view, script) else {
        return;
    };
    assert_eq!(
        seen.found,
        json!({
            "names": ["shop-1", "shop-2", "shop-3", "shop-4"],
            "controls": 0,
            "tally": ["2 create · 1 replace · 1 update in place · 2 unchanged"],
            "unfolded": 6,
        })
    );
}

#[test]
fn every_text_stands_out_from_what_it_is_on_in_light_and_in_dark() {
    // WCAG 2.2, 1.4.3: 4.5 to 1 for text; what is disabled is exempt.
    let script = "
        const pixel = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
        const rgba = (colour) => {
          pixel.clearRect(0, 0, 1, 1);
          pixel.fillStyle = colour;
          pixel.fillRect(0, 0, 1, 1);
          return [...pixel.getImageData(0, 0, 1, 1).data];
        };
        const light = ([r, g, b]) => {
          const [x, y, z] = [r, g, b].map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
          return 0.2126 * x + 0.7152 * y + 0.0722 * z;
        };
        const ground = (one) => {
          for (let at = one; at; at = at.parentElement) {
            const colour = rgba(win.getComputedStyle(at).backgroundColor);
            if (colour[3] > 250) return colour;
          }
          return [255, 255, 255];
        };
        for (const one of doc.querySelectorAll('details')) one.open = true;
        button('a', 'create').click();
        const faint = new Set();
        let texts = 0;
        for (const one of doc.querySelectorAll('body *')) {
          const own = [...one.childNodes].some((it) => it.nodeType === 3 && it.data.trim());
          if (!own || one.localName === 'script' || one.localName === 'title' || one.disabled || one.closest('title, desc')) continue;
          const style = win.getComputedStyle(one);
          const colour = rgba(one.closest('svg') ? style.fill : style.color);
          const [a, b] = [light(colour), light(ground(one))].sort((x, y) => y - x);
          texts += 1;
          const ratio = (a + 0.05) / (b + 0.05);
          if (ratio < 4.5) faint.add(`${one.localName}.${one.getAttribute('class')} ${ratio.toFixed(2)}`);
        }
        found.many = texts > 60;
        found.faint = [...faint];
        found.dark = light(ground(doc.body)) < 0.1;
    ";
    let page = run(PLAIN, Lang::En);
    let findings = hostile(page.clone()).findings;
    let mut page = Report { findings, ..page };
    page.findings[1].level = view::Level::Warning;
    page.findings[2].level = view::Level::Note;
    for dark in [false, true] {
        let view = View { dark, ..View::DESK };
        let Some(seen) = ask(&show(&page), view, script) else {
            return;
        };
        let expected = json!({ "many": true, "faint": [], "dark": dark });
        assert_eq!(seen.found, expected);
    }
}

#[test]
fn what_the_real_command_writes_of_a_run_is_such_a_page() {
    let project = Project::of(&["shop", "north"]);
    project
        .run(["apply", "-y", "--in-flight", "1", "--fault", "throttle@1", "--report", "run.html"])
        .exits(0);
    let script = "
        found.title = doc.title;
        found.names = names();
        found.bars = [...doc.querySelectorAll('.rows rect')].map((one) => one.getAttribute('class'));
    ";
    let Some(seen) = ask(&project.read("run.html"), View::DESK, script) else {
        return;
    };
    assert_eq!(
        seen.found,
        json!({
            "title": "postpay apply",
            "names": ["shop", "north"],
            "bars": ["throttled", "taken", "taken"],
        })
    );
    assert_eq!(seen.console, Vec::<String>::new());
}
