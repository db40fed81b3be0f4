//! A plan on a terminal: where it applies, a block per step, a legend and the totals.

use crate::i18n::{Text, text};
use crate::model::kind::Update;
use crate::plan::{Action, Ids, Plan, Standing, Step, StepBlocker};
use crate::report::drift;
use crate::report::fields::{self, KNOWN_AFTER, Row, Value};
use crate::report::options::RenderOptions;
use crate::report::text::{account, clean, left, width};
use crate::report::view::Tone;

use super::words::{describe_action, is_unchanged, mark, remarks, summary};

/// How much is shown of each step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// What changes; what does not, and what all environments have in common, is counted.
    Folded,
    /// Every field on a line of its own.
    Full,
}

/// Returns the plan in as much detail as requested; `rate` is in creates per second.
pub fn render_plan(plan: &Plan, rate: f64, detail: Detail, options: RenderOptions) -> String {
    let mut out = heading(plan, options);
    let common = match detail {
        Detail::Folded => Common::of(plan),
        Detail::Full => Common::default(),
    };
    let shown = plan.steps.iter().filter(|step| !is_unchanged(step));
    let blocks: Vec<Block> = shown.map(|step| block(step, plan, &common, detail, options)).collect();
    if blocks.iter().any(|block| block.folds_common) {
        out += &common.line(options);
    }
    out.push('\n');
    out += &findings(plan, options);
    for (at, block) in blocks.iter().enumerate() {
        out += &block.text;
        let follows = blocks.get(at + 1).is_some_and(|next| block.is_compact && next.is_compact);
        if !follows {
            out.push('\n');
        }
    }
    out += &options.wrap(legend(plan, options), 2);
    out += &options.wrap(summary(plan, rate, options).join("\n") + "\n", 4);
    out
}

/// The endpoint, the account, the region and the state that the plan is for.
fn heading(plan: &Plan, options: RenderOptions) -> String {
    let account = account(&plan.account);
    let region = plan.region.as_ref().map_or(Text::same(""), |region| {
        let region = clean(region);
        text!(" · region {region}", region)
    });
    let state = clean(&plan.state_path);
    let heading = text!("{account}{region} · state {state}", account, region, state);
    options.wrap(options.faint(heading) + "\n", 4)
}

/// The marks that the plan uses, and what they mean. Nothing for a plan without steps.
fn legend(plan: &Plan, options: RenderOptions) -> String {
    let mut marks: Vec<(&str, String)> = Vec::new();
    for step in plan.steps.iter().filter(|step| !is_unchanged(step)) {
        let (mark, meaning, _) = mark(step, plan);
        if !mark.trim().is_empty() && marks.iter().all(|(known, _)| *known != mark) {
            marks.push((mark, options.in_lang(meaning)));
        }
    }
    if marks.is_empty() {
        return String::new();
    }
    let marks: Vec<String> = marks.iter().map(|(mark, meaning)| format!("{mark} {meaning}")).collect();
    format!("  {}\n\n", options.faint(marks.join("  ")))
}

/// Returns the findings of the account, above the steps; nothing for a plan that was made without reading it.
fn findings(plan: &Plan, options: RenderOptions) -> String {
    let Some(findings) = &plan.drift else {
        return String::new();
    };
    let ignored = findings.iter().filter(|finding| finding.standing == Standing::Ignored).count();
    let is_clean = ignored == findings.len();
    let ignored = match ignored {
        0 => text!(""),
        n => text!(" ({n} ignored by postpay.yaml)", n),
    };
    let head = if is_clean {
        text!("No drift: the account matches the state{ignored}.", ignored)
    } else {
        text!(
            "Drift detected: the account differs from the state{ignored}. The plan below does not change because of it.",
            ignored
        )
    };
    let note = options.strong(text!("Note:"));
    let mut out = options.wrap(format!("{note} {}\n", options.in_lang(head)), 4);
    out.push('\n');
    let shown = findings.iter().filter(|finding| finding.standing != Standing::Ignored);
    out.extend(shown.map(|finding| drift::render_finding(finding, options)));
    out
}

/// The values that every environment of a plan has, which are shown once.
#[derive(Debug, Default)]
struct Common(Vec<Row>);

impl Common {
    /// Nothing for a plan with fewer than two environments.
    fn of(plan: &Plan) -> Self {
        let declared = plan.steps.iter().filter(|step| !step.deposed).filter_map(|step| step.after.as_ref());
        let mut declared = declared.map(fields::values);
        let (Some(mut common), Some(second)) = (declared.next(), declared.next()) else {
            return Self::default();
        };
        for values in std::iter::once(second).chain(declared) {
            common.retain(|row| values.contains(row));
        }
        Self(common)
    }

    fn line(&self, options: RenderOptions) -> String {
        let values: Vec<String> = self.0.iter().map(|row| assigned(row, options)).collect();
        let values = values.join(", ");
        options.wrap(options.in_lang(text!("Common to all: {values}", values)) + "\n", 4)
    }
}

/// The fields of a step.
struct Fields {
    /// `name = value`, for one line.
    set: Vec<String>,
    /// For a line each.
    changed: Vec<Line>,
    /// How many values of [`Common`] were left out.
    folded: usize,
}

/// A field on a line of its own.
struct Line {
    /// `+` for one that is added, `~` for one that changes, `-` for one that is removed.
    mark: String,
    name: String,
    value: String,
    forces_replacement: bool,
}

fn fields(step: &Step, common: &Common, detail: Detail, options: RenderOptions) -> Fields {
    let line = |row: &Row| Line {
        mark: value_mark(&row.value, options),
        name: name(row),
        value: shown(&row.value, options),
        forces_replacement: forces_replacement(step, row),
    };
    let rows = fields::rows(step);
    if detail == Detail::Full {
        return Fields { set: Vec::new(), changed: rows.iter().map(line).collect(), folded: 0 };
    }
    let rows: Vec<Row> = rows.into_iter().filter(|row| !is_id(row)).collect();
    let (changed, set): (Vec<&Row>, Vec<&Row>) =
        rows.iter().partition(|row| matches!(row.value, Value::Changed(..) | Value::Becomes(..)));
    let changed = changed.into_iter().map(line).collect();
    // What a replacement does not change is counted behind the ids.
    let set = if step.action == Action::Replace { Vec::new() } else { set };
    let (folded, set): (Vec<&Row>, Vec<&Row>) = set.into_iter().partition(|row| common.0.contains(row));
    Fields { set: set.into_iter().map(|row| assigned(row, options)).collect(), changed, folded: folded.len() }
}

/// Whether it is an id that Tencent Cloud returns, and not a field of the manifest.
fn is_id(row: &Row) -> bool {
    let is_value = matches!(row.value, Value::Text(_) | Value::Changed(..));
    !is_value && ["env_id", "tran_id", "request_id"].contains(&row.name.as_str())
}

fn forces_replacement(step: &Step, row: &Row) -> bool {
    let Some(after) = step.after.as_ref().filter(|_| step.action == Action::Replace) else {
        return false;
    };
    // A member of an object is `field.member`.
    let field = row.name.split('.').next().and_then(|name| after.kind().field(name));
    matches!(row.value, Value::Changed(..)) && field.is_some_and(|field| field.update == Update::Replace)
}

fn name(row: &Row) -> String {
    cut(&clean(&row.name), 0, LONGEST_NAME)
}

fn assigned(row: &Row, options: RenderOptions) -> String {
    format!("{} = {}", name(row), shown(&row.value, options))
}

fn value_mark(value: &Value, options: RenderOptions) -> String {
    match value {
        Value::Changed(None, Some(_)) => options.good("+"),
        Value::Changed(Some(_), None) => options.gone("-"),
        Value::Changed(_, _) | Value::Becomes(..) => options.change("~"),
        Value::Text(_) | Value::Word(_) | Value::KnownAfter => " ".to_owned(),
    }
}

fn shown(value: &Value, options: RenderOptions) -> String {
    match value {
        Value::Text(text) => quoted(text),
        Value::Word(word) => clean(word).into_owned(),
        Value::KnownAfter => options.faint(KNOWN_AFTER),
        Value::Changed(Some(old), Some(new)) if old.len().max(new.len()) > LONGEST => {
            let same = old.chars().zip(new.chars()).take_while(|(old, new)| old == new);
            let from = same.count().saturating_sub(BEFORE);
            format!("{} -> {}", quoted_from(old, from), quoted_from(new, from))
        }
        Value::Changed(Some(old), Some(new)) => options.changed_words(old, new),
        Value::Changed(Some(old), None) => options.gone(quoted(old)),
        Value::Changed(None, Some(new)) => options.good(quoted(new)),
        Value::Changed(None, None) => String::new(),
        Value::Becomes(old, Some(new)) => format!("{} -> {}", clean(old), clean(new)),
        Value::Becomes(old, None) => format!("{} -> {}", clean(old), options.faint(KNOWN_AFTER)),
    }
}

fn quoted(value: &str) -> String {
    quoted_from(value, 0)
}

fn quoted_from(value: &str, from: usize) -> String {
    format!("\"{}\"", cut(&clean(value), from, LONGEST))
}

/// Characters of a value that are shown; JSON and the plan file have all.
const LONGEST: usize = 4096;
/// Characters of a name that are shown.
const LONGEST_NAME: usize = 200;
/// Characters that are shown before the first that differs.
const BEFORE: usize = 64;

/// Returns at most `most` characters from `from` on, and the total when that is not all.
fn cut(text: &str, from: usize, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let length = text.chars().count();
    let from = if length <= most { 0 } else { from };
    let shown: String = text.chars().skip(from).take(most).collect();
    let (start, end) = (from > 0, from + most < length);
    let mark = |is_cut| if is_cut { "…" } else { "" };
    let rest = if start || end { format!(" ({length})") } else { String::new() };
    format!("{}{shown}{}{rest}", mark(start), mark(end))
}

/// Names up to this wide have their values in one column.
const WIDEST: usize = 40;
/// The columns without a terminal, and the most that are used of a wide one.
const COLUMNS: (usize, usize) = (80, 100);

/// A step as text.
struct Block {
    /// Whole lines.
    text: String,
    /// Values that all environments have in common were left out.
    folds_common: bool,
    /// It needs no blank line before another one of its kind.
    is_compact: bool,
}

fn block(step: &Step, plan: &Plan, common: &Common, detail: Detail, options: RenderOptions) -> Block {
    let mut text = head(step, plan, options);
    let Fields { set, changed, folded } = fields(step, common, detail, options);
    if !set.is_empty() || folded > 0 {
        let set = format!("    {}", set.join(", "));
        let note = options.in_lang(text!("(+ {folded} common)", folded));
        let note = if folded > 0 { note } else { String::new() };
        let line = apart(&set, width(&set), &options.faint(&note), width(&note), options);
        text += &options.wrap(line.trim_end().to_owned() + "\n", 8);
    }
    // One long name does not move the values of all others.
    let widths = changed.iter().map(|row| width(&row.name));
    let columns = widths.filter(|it| *it <= WIDEST).max().unwrap_or(0);
    for row in changed {
        let forces = if row.forces_replacement {
            format!("  {}", options.bad(text!("# forces replacement")))
        } else {
            String::new()
        };
        let name = left(&row.name, columns);
        let line = format!("    {} {name}  {}{forces}\n", row.mark, row.value);
        text += &options.wrap(line, 8);
    }
    if detail == Detail::Folded {
        let ids = ids(step, options);
        if !ids.is_empty() {
            text += &options.wrap(format!("    {ids}\n"), 4);
        }
    }
    let remarks = remarks(step, plan);
    let is_compact = detail == Detail::Folded && step.action == Action::Create && remarks.is_empty();
    for line in remarks {
        text += &options.wrap(format!("    {}\n", options.in_lang(line)), 4);
    }
    Block { text, folds_common: folded > 0, is_compact }
}

/// Returns the mark, the address and what happens, with the place in the manifests on the right.
fn head(step: &Step, plan: &Plan, options: RenderOptions) -> String {
    let what = options.in_lang(describe_action(step, plan));
    let what = match &step.previous_address {
        Some(from) if what.is_empty() => options.in_lang(text!("moved from `{from}`", from)),
        Some(from) => options.in_lang(text!("{what}, moved from `{from}`", what, from)),
        None => what,
    };
    let deposed = if step.deposed { options.in_lang(text!(" (deposed)")) } else { String::new() };
    let (mark, _, tone) = mark(step, plan);
    let gap = if what.is_empty() { "" } else { "  " };
    let unpainted = format!("{mark} {}{deposed}{gap}{what}", step.address);
    let painted_mark = match tone {
        Tone::Good => options.good(mark),
        Tone::Bad => options.bad(mark),
        Tone::Change | Tone::Plain => options.change(mark),
    };
    let is_bad = plan.is_blocked_by(step) || (step.action == Action::Destroy && step.blocker.is_none());
    let painted_what = if is_bad { options.bad(&what) } else { what.clone() };
    let painted = format!("{painted_mark} {}{deposed}{gap}{painted_what}", options.strong(&step.address));
    let source = clean(&step.source.to_string()).into_owned();
    let source = options.in_lang(match step.after {
        Some(_) => Text::same(source),
        None if step.blocker == Some(StepBlocker::StillDeclared) => Text::same(source),
        None => text!("was {source}", source),
    });
    let line = apart(&painted, width(&unpainted), &options.faint(&source), width(&source), options);
    options.wrap(line + "\n", 4)
}

/// Two texts in a line, the second one at the right edge. Their widths are given, since colours have none.
fn apart(left: &str, left_width: usize, right: &str, right_width: usize, options: RenderOptions) -> String {
    let (without, most) = COLUMNS;
    let columns = options.columns.unwrap_or(without).min(most);
    let gap = columns.saturating_sub(left_width + right_width).max(2);
    format!("{left}{}{right}", " ".repeat(gap))
}

/// The ids that are known, in one line, and how many fields do not change.
fn ids(step: &Step, options: RenderOptions) -> String {
    let Ids { env_id, tran_id, request_id } = &step.ids;
    // A request id is only useful without another id.
    let request_id = request_id.as_ref().filter(|_| env_id.is_none());
    let order = options.in_lang(text!("order"));
    let request = options.in_lang(text!("request"));
    let ids =
        [("env_id", env_id.as_ref()), (order.as_str(), tran_id.as_ref()), (request.as_str(), request_id)];
    let ids: Vec<String> =
        ids.into_iter().filter_map(|(name, id)| Some(format!("{name} {}", clean(id?)))).collect();
    let ids = ids.join(" · ");
    let unchanged = match (step.action, &step.after) {
        (Action::Update | Action::Replace, Some(after)) => {
            after.iter().filter(|(field, _)| step.changed.iter().all(|name| name != field.name)).count()
        }
        (_, _) => 0,
    };
    if unchanged == 0 {
        return ids;
    }
    let note = options.faint(text!("({unchanged} unchanged)", unchanged));
    if ids.is_empty() { note } else { format!("{ids}  {note}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Lang;
    use crate::kinds::postpay;
    use crate::model::{Attributes, Field};
    use crate::plan::Reason;
    use crate::report::tests::{plan_of, step};

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
            let text = render_plan(&plan_of(steps), 2.0, Detail::Folded, RenderOptions::PLAIN);
            let lines: Vec<&str> = text.lines().collect();
            let at =
                lines.iter().rposition(|line| line.contains(&head) && line.contains("shop.yaml")).unwrap();
            let squeeze = |line: &str| match line.split_once("   ").filter(|_| line.contains("(+ ")) {
                Some(_) => format!("{}   (+ 2 common)", line[..line.find("  (+").unwrap_or(0)].trim_end()),
                None => line.to_owned(),
            };
            let shown: Vec<String> =
                lines[at + 1..][..expected.len()].iter().map(|line| squeeze(line)).collect();
            assert_eq!(shown, expected, "{text}");
            assert_eq!(text.contains("Common to all: env_source"), lists_common, "{text}");
            assert!(text.contains("blocked") == text.contains("# forces replacement"), "{text}");
        }
    }

    #[test]
    fn thirty_creates_fit_two_screens_and_everything_is_there_on_request() {
        let steps = || (0..30).map(|n| create(&format!("shop-{n}"), &[])).collect();
        let folded = render_plan(&plan_of(steps()), 2.0, Detail::Folded, RenderOptions::PLAIN);
        assert!(folded.lines().count() <= 70, "{folded}");
        let full = render_plan(&plan_of(steps()), 2.0, Detail::Full, RenderOptions::PLAIN);
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
            let text = render_plan(
                &plan_,
                2.0,
                Detail::Folded,
                RenderOptions { lang, columns: Some(columns), ..RenderOptions::PLAIN },
            );
            for line in text.lines() {
                assert!(width(line) <= columns, "{columns}: {line}");
            }
        }
    }

    #[test]
    fn long_values_are_cut_at_their_end_or_around_what_differs() {
        assert_eq!(cut("short", 0, 5), "short");
        assert_eq!(cut("商店商店", 0, 4), "商店商店");
        assert_eq!(cut("abcdefgh", 0, 4), "abcd… (8)");
        assert_eq!(cut("abcdefgh", 2, 4), "…cdef… (8)");
        assert_eq!(cut("abcdefgh", 4, 4), "…efgh (8)");
        let long = "x".repeat(100_000);
        let value = Value::Changed(Some(format!("{long}a")), Some(format!("{long}b")));
        let text = shown(&value, RenderOptions::PLAIN);
        assert!(text.len() < 1000 && text.contains("xa (") && text.contains("xb ("), "{text}");
    }
}
