//! What is said of an environment's life: who has which lifecycle, what an import is excused from, and that moves always
//! lead somewhere.

use super::*;
use crate::model::{Environment, Import, Moved, Removed};

fn none() -> [String; 0] {
    []
}

fn environments(checked: &Checked) -> &[Environment] {
    assert_eq!(places(checked), none());
    &checked.desired.environments
}

/// Their lifecycles: `!` for protected, then what is ignored.
fn lifecycles(text: &str) -> Vec<String> {
    environments(&one(text))
        .iter()
        .map(|environment| {
            let Lifecycle { prevent_destroy, ignore_changes } = &environment.lifecycle;
            let ignored: Vec<&str> = ignore_changes.iter().map(|field| field.name).collect();
            let protected = if *prevent_destroy { "!" } else { "" };
            format!("{}:{protected}{}", environment.address, ignored.join(","))
        })
        .collect()
}

#[test]
fn a_lifecycle_of_its_own_replaces_that_of_the_defaults_as_a_whole() {
    let head = "version: 1\ndefaults: {env_source: qcloud, channel: qq, lifecycle: {prevent_destroy: true, ignore_changes: [flag]}}\nenvironments:\n";
    let text = format!(
        "{head}  a:\n  b: &b {{lifecycle: {{ignore_changes: [extra, alias]}}}}\n  c: {{lifecycle: null}}\n  d: {{lifecycle: {{}}}}\n  e: {{<<: *b}}\n  f: {{<<: *b, lifecycle: {{prevent_destroy: true}}}}\n---\nversion: 1\nenvironments: {{g: {{env_id: x}}}}\n"
    );
    assert_eq!(lifecycles(&text), ["a:!flag", "b:alias,extra", "c:", "d:", "e:alias,extra", "f:!", "g:"]);
}

#[test]
fn what_is_ignored_twice_is_ignored_once_and_is_worth_a_word() {
    let checked =
        one("version: 1\nenvironments: {a: {env_id: x, lifecycle: {ignore_changes: [flag, &f flag, *f]}}}\n");
    assert_eq!(
        places(&checked),
        // The third is the second, by its place too.
        ["duplicate-ignore-changes m.yaml:2:69"; 1]
    );
    let ignored = &checked.desired.environments[0].lifecycle.ignore_changes;
    assert_eq!(ignored.len(), 1);
}

#[test]
fn a_problem_in_the_lifecycle_of_the_defaults_is_told_once() {
    let checked = one(
        "version: 1\ndefaults: {lifecycle: {prevent_destroy: 1, ignore_changes: [nope]}}\nenvironments: {a: {env_id: a}, b: {env_id: b}}\n",
    );
    assert_eq!(places(&checked), ["wrong-type m.yaml:2:41", "invalid-ignore-changes m.yaml:2:61"]);
}

#[test]
fn what_is_imported_needs_nothing_that_only_an_order_needs() {
    let loaded = loaded(&[(
        "m.yaml",
        "version: 1\nenvironments:\n  a: {import: {env_id: shop-1, tran_id: '7'}, source: miniapp}\n  b:\n    alias: b\n    import:\n      env_id: shop-2\n",
    )]);
    let require_alias = true;
    let checked = check(&loaded, Options { require_alias });
    let source = |line| SourceRef { file: "m.yaml".to_owned(), line };
    let imports: Vec<Option<Import>> =
        environments(&checked).iter().map(|environment| environment.import.clone()).collect();
    assert_eq!(
        imports,
        [
            Some(Import { env_id: "shop-1".to_owned(), tran_id: Some("7".to_owned()), source: source(3) }),
            Some(Import { env_id: "shop-2".to_owned(), tran_id: None, source: source(6) }),
        ]
    );
    assert_eq!(checked.desired.environments[1].source, source(4));
}

#[test]
fn what_is_imported_still_says_nothing_wrong() {
    let checked = one(
        "version: 1\nenvironments:\n  a: {import: {env_id: a}, alias: A, env_source: qcloud, free_quota: gold}\n  b: {import: {env_id: b}, env_source: qcloud, channel: ide}\n",
    );
    assert_eq!(
        places(&checked),
        [
            "invalid-alias m.yaml:3:35",
            "unpaired-env-source m.yaml:3:50",
            "invalid-free-quota m.yaml:3:70",
            "invalid-channel m.yaml:4:57",
        ]
    );
}

/// To leave out half an import would order what is to be adopted.
#[test]
fn half_an_import_is_never_taken_for_none() {
    for import in [
        "",
        "~",
        "null",
        "x",
        "[]",
        "{}",
        "{env_id: }",
        "{env_id: 1}",
        "{env_id: ''}",
        "{tran_id: '1'}",
        "{id: x}",
    ] {
        let checked = one(&format!("{HEAD}  a:\n    import: {import}\n"));
        assert!(any_error(&checked.diagnostics), "{import}");
        assert_eq!(checked.desired.environments, [], "{import}");
    }
}

#[test]
fn an_environment_has_one_address_over_all_files() {
    let checked = check(
        &loaded(&[
            (
                "a.yaml",
                "version: 1\nenvironments:\n  a: {import: {env_id: x}}\n  b: {env_id: y, import: {env_id: y}}\n",
            ),
            ("b.yaml", "version: 1\nenvironments:\n  c: {env_id: x}\n  d: {import: {env_id: y}}\n"),
        ]),
        Options::default(),
    );
    assert_eq!(places(&checked), ["duplicate-env-id b.yaml:3:15", "duplicate-env-id b.yaml:4:24"]);
}

fn moves(checked: &Checked) -> Vec<String> {
    let moved = checked.desired.moved.iter();
    moved.map(|Moved { from, to, source }| format!("{from}>{to}@{source}")).collect()
}

#[test]
fn moves_and_removals_come_from_all_files_in_declared_order() {
    let checked = check(
        &loaded(&[
            (
                "moves.yaml",
                "version: 1\nremoved: [z]\nmoved:\n  - {from: b, to: c}\n  - from: a\n    to: b\n---\nversion: 1\nremoved:\n  - y\n",
            ),
            (
                "shop.yaml",
                "version: 1\nenvironments: {c: {env_id: c}, e: {env_id: e}}\nmoved: [{from: d, to: e}]\n",
            ),
        ]),
        Options::default(),
    );
    assert_eq!(places(&checked), none());
    assert_eq!(moves(&checked), ["b>c@moves.yaml:4", "a>b@moves.yaml:5", "d>e@shop.yaml:3"]);
    let removed = checked.desired.removed.iter();
    let removed: Vec<String> =
        removed.map(|Removed { address, source }| format!("{address}@{source}")).collect();
    assert_eq!(removed, ["z@moves.yaml:2", "y@moves.yaml:10"]);
}

#[test]
fn a_document_may_move_and_remove_alone_but_not_say_nothing() {
    for (text, expected) in [
        ("version: 1\nremoved: [a]\n", &[][..]),
        ("version: 1\nenvironments: {}\nremoved: [a]\n", &[]),
        ("version: 1\nmoved: x\n", &["wrong-type m.yaml:2:8"]),
        ("version: 1\nmoved: []\nremoved: ~\n", &["empty-environments m.yaml:1:1"]),
    ] {
        assert_eq!(places(&one(text)), expected, "{text}");
    }
}

#[test]
fn what_is_removed_twice_is_removed_once() {
    let checked = one("version: 1\nremoved: [a, a, &b b, *b]\n");
    assert_eq!(places(&checked), ["removed-twice m.yaml:2:14", "removed-twice m.yaml:2:20"]);
    assert_eq!(checked.desired.removed.len(), 2);
}

#[test]
fn a_cycle_is_told_once_with_all_of_its_moves_however_it_is_come_upon() {
    let checked = check(
        &loaded(&[
            ("a.yaml", "version: 1\nmoved: [{from: tail, to: x}, {from: x, to: c}, {from: b, to: c2}]\n"),
            ("b.yaml", "version: 1\nmoved: [{from: c, to: a}, {from: a, to: c}, {from: c2, to: b}]\n"),
        ]),
        Options::default(),
    );
    let cycles: Vec<(&str, Vec<String>)> = checked
        .diagnostics
        .iter()
        .filter(|problem| problem.code == "moved-cycle")
        .map(|problem| {
            let labels = problem.labels.iter();
            let labels = labels.map(|label| format!("{} {}", label.span, label.text));
            (problem.message.en(), labels.collect())
        })
        .collect();
    let strings = |texts: [&str; 2]| texts.map(str::to_owned).to_vec();
    assert_eq!(
        cycles,
        [
            (
                "the moves from `b` form a cycle",
                strings(["a.yaml:2:48 to `c2`", "b.yaml:2:45 and back to `b`"]),
            ),
            (
                "the moves from `c` form a cycle",
                strings(["b.yaml:2:9 to `a`", "b.yaml:2:27 and back to `c`"]),
            ),
        ]
    );
}

#[test]
fn of_a_very_long_cycle_enough_is_shown() {
    let moves: Vec<String> = (0..200).map(|n| format!("{{from: a{n}, to: a{}}}", (n + 1) % 200)).collect();
    let checked = one(&format!("version: 1\nmoved: [{}]\n", moves.join(", ")));
    let [problem] = &checked.diagnostics[..] else { panic!("{:?}", checked.diagnostics) };
    assert_eq!(problem.labels.len(), 50);
    assert_eq!(problem.labels[48].text.en(), "to `a49`");
    assert_eq!(problem.labels[49].text.en(), "and back to `a0`");
    assert!(problem.help[0].en().starts_with("150 more"), "{:?}", problem.help);
}

#[test]
fn the_same_move_by_an_alias_is_a_second_one() {
    let checked = one(
        "version: 1\nenvironments: {b: {env_id: b}}\nmoved:\n  - &m {from: &a a, to: b}\n  - *m\n  - {from: *a, to: c}\n",
    );
    assert_eq!(places(&checked), ["moved-twice m.yaml:4:18", "moved-undeclared m.yaml:6:20"]);
}

#[test]
fn what_may_be_declared_in_what_could_not_be_read_is_not_missed() {
    let head = "version: 1\nenvironments: {a: {env_id: a}}\nmoved: [{from: x, to: y}]\n";
    assert_eq!(places(&one(head)), ["moved-undeclared m.yaml:3:23"]);
    for (rest, expected) in [
        ("---\nversion: 2\n", "unsupported-version m.yaml:5:10"),
        ("---\nversion: 1\nenvironments: x\n", "wrong-type m.yaml:6:15"),
        ("---\ny\n", "wrong-type m.yaml:5:1"),
        ("---\nversion: [\n", "yaml-syntax m.yaml:6:1"),
    ] {
        let text = format!("{head}{rest}");
        assert_eq!(places(&one(&text)), [expected], "{rest}");
    }
}

#[test]
fn a_slip_in_the_target_of_a_move_is_guessed_but_never_as_its_source() {
    let label = |to: &str| {
        let text = format!(
            "version: 1\nenvironments: {{shop: {{env_id: a}}, mall-prod: {{env_id: b}}}}\nmoved: [{{from: shop, to: {to}}}]\n"
        );
        let problem = one(&text).diagnostics.pop().unwrap();
        assert_eq!(problem.code, "moved-undeclared");
        problem.labels[0].text.clone()
    };
    assert_eq!(label("mall-prd").en(), "did you mean `mall-prod`?");
    assert_eq!(label("shops").en(), "nothing is declared here");
}

/// What [`Desired`] says of its moves and removals.
fn holds(desired: &Desired) {
    let declared: HashSet<&Address> = desired.environments.iter().map(|it| &it.address).collect();
    let from: HashMap<&Address, &Address> = desired.moved.iter().map(|it| (&it.from, &it.to)).collect();
    let to: HashSet<&Address> = desired.moved.iter().map(|it| &it.to).collect();
    assert_eq!((from.len(), to.len()), (desired.moved.len(), from.len()));
    for moved in &desired.moved {
        assert!(!declared.contains(&moved.from));
        let way = std::iter::successors(Some(&moved.to), |at| from.get(at).copied());
        let end = way.take(from.len() + 1).last().unwrap();
        assert!(declared.contains(end), "{moved:?} ends at {end}");
    }
    let removed: HashSet<&Address> = desired.removed.iter().map(|it| &it.address).collect();
    assert_eq!(removed.len(), desired.removed.len());
    for address in removed {
        assert!(!declared.contains(address));
        assert!(!from.contains_key(address) && !to.contains(address));
    }
}

/// `(from, to)` of addresses by their numbers.
fn some_moves(most: usize) -> impl Strategy<Value = Vec<(u8, u8)>> {
    proptest::collection::vec((0..8_u8, 0..8_u8), 0..most)
}

proptest! {

    #[test]
    fn moves_that_pass_lead_to_what_is_declared(
        declared in proptest::collection::btree_set(0..8_u8, 0..5),
        moved in some_moves(6),
        removed in proptest::collection::vec(0..8_u8, 0..3),
    ) {
        let environments: Vec<String> = declared.iter().map(|n| format!("a{n}: {{env_id: e{n}}}")).collect();
        let moves: Vec<String> = moved.iter().map(|(from, to)| format!("{{from: a{from}, to: a{to}}}")).collect();
        let forgotten: Vec<String> = removed.iter().map(|n| format!("a{n}")).collect();
        let checked = one(&format!(
            "version: 1\nenvironments: {{{}}}\nmoved: [{}]\nremoved: [{}]\n",
            environments.join(", "), moves.join(", "), forgotten.join(", ")
        ));
        if any_error(&checked.diagnostics) {
            prop_assert_eq!(&checked.desired.moved, &[]);
            prop_assert_eq!(&checked.desired.removed, &[]);
        } else {
            prop_assert_eq!(checked.desired.moved.len(), moved.len());
            holds(&checked.desired);
        }
    }

    /// And none is refused for nothing: a chain of any length in any order, with its end declared.
    #[test]
    fn a_chain_of_moves_passes(names in Just((0..8_u8).collect::<Vec<_>>()).prop_shuffle(), order in Just((0..7_usize).collect::<Vec<_>>()).prop_shuffle()) {
        let moves: Vec<String> = order.iter().map(|at| format!("{{from: a{}, to: a{}}}", names[*at], names[at + 1])).collect();
        let checked = one(&format!(
            "version: 1\nenvironments: {{a{}: {{env_id: x}}}}\nmoved: [{}]\n", names[7], moves.join(", ")
        ));
        prop_assert_eq!(places(&checked), none());
        holds(&checked.desired);
    }
}
