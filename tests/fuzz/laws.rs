//! What must hold for any bytes at all. The fuzz targets and `tests/suite/fuzz.rs` both call these: there is no other copy.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use postpay::check::{self, Options};
use postpay::cloud::tencent::wire::{self, Answer, Ids};
use postpay::diagnostic::{SourceFile, any_error, render};
use postpay::i18n::Lang;
use postpay::manifest::{self, File, Loaded};
use postpay::model::{Desired, ManifestHash};
use postpay::plan::moves::{MoveError, MoveProblem};
use postpay::plan::{Options as PlanOptions, Plan, Target, file};
use postpay::report::document::View;
use postpay::report::plan::{Detail, PlanView};
use postpay::report::validate::ValidateView;
use postpay::report::view::{Context, Provenance};
use postpay::report::{RenderOptions, github, html, junit, markdown, sarif};
use postpay::sanitize::{invisible, json};
use postpay::state::Account;
use postpay::state::{decode_journal, decode_state, encode_journal, encode_state};

/// Nothing in it acts on a terminal, and nothing is there that is not seen.
fn all_seen(shown: &str) {
    for line in shown.lines() {
        assert_eq!(invisible(line).next(), None, "{line:?}");
    }
}

fn all_seen_of(view: &dyn View, lang: Lang) {
    let context = Context::default();
    let report = view.report(lang).expect("it has a report");
    all_seen(&view.text(RenderOptions { lang, ..RenderOptions::PLAIN }));
    all_seen(&junit::render(&report));
    all_seen(&html::render(&report, &context));
    all_seen(&github::render(&report, &context));
    all_seen(&markdown::render(&report, &context));
    all_seen(&json(&sarif::render(&report, &context)));
}

/// A manifest is read, checked and explained without a panic and without a character that nobody sees; what it declares makes
/// a plan that is read as it is written.
pub(crate) fn manifest(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let source = Arc::new(SourceFile::new("a.yaml", text));
    let parsed = manifest::parse(&source);
    let hash = ManifestHash { path: "a.yaml".into(), sha256: "0".repeat(64) };
    let loaded = Loaded {
        files: vec![File { source, hash, documents: parsed.documents, complete: parsed.complete }],
        diagnostics: parsed.diagnostics,
    };
    let checked = check::check(&loaded, Options::default());
    for lang in [Lang::En, Lang::Zh] {
        let shown = render::render(&checked.diagnostics, false, lang);
        assert_eq!(checked.diagnostics.is_empty(), shown.is_empty(), "a problem is shown");
        all_seen(&shown);
        let paths = ["a.yaml".into()];
        all_seen_of(&ValidateView::new(&paths, 0, &checked.diagnostics, Provenance::default()), lang);
    }
    if any_error(&checked.diagnostics) {
        let Desired { environments, moved, removed, manifests: _ } = &checked.desired;
        assert!(environments.is_empty() && moved.is_empty() && removed.is_empty());
        return;
    }
    let target = Target {
        account: Account { endpoint: "sandbox".to_owned(), uin: None },
        endpoint: "sandbox".to_owned(),
        region: None,
        state_path: "a.state.json".to_owned(),
    };
    let make = |desired: &Desired| {
        let (options, now) = (PlanOptions::default(), Timestamp::UNIX_EPOCH);
        Plan::make(desired, None, options, target.clone(), now)
    };
    let mut desired = checked.desired;
    if let Err(problems) = make(&desired) {
        // Nothing is in the state here, so no move finds what it moves; but that is all there is to say of one that was checked.
        let is_missing = |problem: &MoveProblem| matches!(problem.why, MoveError::Missing { .. });
        assert!(problems.iter().all(is_missing), "{problems:?}");
        desired.moved.clear();
    }
    let plan = make(&desired).unwrap();
    let diagnostics = checked.diagnostics;
    let view = PlanView { plan: &plan, rate: 2.0, requests: &[], detail: Detail::Folded, diagnostics };
    all_seen_of(&view, Lang::Zh);
    assert_eq!(file::decode(&file::encode(&plan)).expect("a plan of ours"), plan);
}

/// A state that can be read is written so that it is read the same.
pub(crate) fn state(bytes: &[u8]) {
    let path = Path::new("a.state.json");
    if let Ok(state) = decode_state(path, bytes) {
        let again = encode_state(&state).expect("a state of ours");
        assert_eq!(decode_state(path, &again).expect("as written"), state);
    }
}

/// A journal that can be read is written so that it is read the same; and cut anywhere, what is whole of it is kept.
pub(crate) fn journal(bytes: &[u8]) {
    let path = Path::new("a.journal.jsonl");
    let Ok(journal) = decode_journal(path, bytes) else {
        return;
    };
    let again = encode_journal(&journal).expect("a journal of ours");
    assert_eq!(decode_journal(path, &again).expect("as written"), journal);
    // Some place within it, another one for other bytes.
    let cut = bytes.iter().fold(7_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(*byte)))
        % again.len();
    let whole = again[..cut].split(|byte| *byte == b'\n').count() - 1;
    match decode_journal(path, &again[..cut]) {
        // The first line is written before the file has its name: no crash cuts that.
        Err(_) => assert_eq!(whole, 0),
        Ok(kept) => {
            assert_eq!(kept.entries.len() + 1, whole);
            assert_eq!(kept.entries, journal.entries[..whole - 1]);
        }
    }
}

/// A plan file that can be read is written so that it is read the same, and is the same plan to the guard.
pub(crate) fn plan_file(bytes: &[u8]) {
    if let Ok(plan) = file::decode(&String::from_utf8_lossy(bytes)) {
        let again = file::decode(&file::encode(&plan)).expect("a plan of ours");
        assert_eq!(again, plan);
        assert_eq!(file::checksum(&again), file::checksum(&plan));
    }
}

/// An answer of any kind is read without a panic, and an id that is read from one stands in it.
pub(crate) fn response(bytes: &[u8]) {
    let Answer { response, ids, found, .. } = wire::parse(bytes);
    let Ids { tran_id, env_id, request_id } = ids;
    let own = [tran_id, env_id, request_id].into_iter().flatten();
    for id in own.chain(found.tran_ids).chain(found.env_ids) {
        assert!(!id.is_empty());
        assert!(stands_in(bytes, &id), "`{id}` is invented");
    }
    let Ok(response) = response else {
        return;
    };
    let _ = wire::page(&response, "EnvList", wire::text_of);
    let _ = wire::decode_caller(&response);
    for key in wire::decode_session(&response).into_iter().chain(wire::decode_metadata(bytes)) {
        assert!(!key.secret_id.is_empty() && !key.secret_key.is_empty() && !key.token.is_empty());
    }
}

/// Whether a text stands in these bytes as it is. A text with an escape, and one that is no UTF-8, has another form there.
fn stands_in(bytes: &[u8], text: &str) -> bool {
    bytes.contains(&b'\\')
        || std::str::from_utf8(bytes).is_err()
        || bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
