//! The fault matrix: every way in which the endpoint can fail, at the first, a middle and the last call, alone and in
//! pairs, one by one and with four in flight, with and without read-back.
//!
//! One table says what each fault proves. What a whole run comes to follows from it and from the ledger, which says which
//! calls arrived, and is worked out here a second time, from the table alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use postpay::sandbox::{Fault, LedgerEntry};
use serde_json::Value;

use crate::support::{Project, RECEIPTS, STATE, in_parallel_by};

/// What an attempt proves, as the journal says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grade {
    Ordered,
    NotSent,
    Refused,
    Unknown,
}

/// What the state says of the order afterwards; None is no record.
type Status = Option<&'static str>;

/// One fault.
struct Row {
    fault: &'static str,
    /// What happens, in words.
    what: &'static str,
    grade: Grade,
    /// Whether Tencent Cloud made the order.
    acted: bool,
    /// With `--settle 0s`.
    off: Status,
    /// With read-back.
    on: Status,
}

const CREATED: Status = Some("created");
const AWAITING: Status = Some("awaiting_env_id");
const UNKNOWN: Status = Some("unknown");

const fn row(
    fault: &'static str,
    what: &'static str,
    grade: Grade,
    acted: bool,
    off: Status,
    on: Status,
) -> Row {
    Row { fault, what, grade, acted, off, on }
}

/// The one table. It is printed in `src/apply/protocol.md`.
#[rustfmt::skip]
const TABLE: [Row; 26] = [
    row("throttle", "the gateway turns the call away for its rate", Grade::NotSent, false, CREATED, CREATED),
    row("reset-before", "the connection is reset before anything is done", Grade::Unknown, false, UNKNOWN, UNKNOWN),
    row("reset-after", "the connection is reset after the order is made", Grade::Unknown, true, UNKNOWN, CREATED),
    row("eof-before", "the connection is closed before anything is done", Grade::Unknown, false, UNKNOWN, UNKNOWN),
    row("eof-after", "the connection is closed after the order is made", Grade::Unknown, true, UNKNOWN, CREATED),
    row("hang-before", "no answer comes, and nothing is done", Grade::Unknown, false, UNKNOWN, UNKNOWN),
    row("hang-after", "no answer comes, and the order is made", Grade::Unknown, true, UNKNOWN, CREATED),
    row("500-before", "status 500, and nothing is done", Grade::Unknown, false, UNKNOWN, UNKNOWN),
    row("500-after", "status 500, and the order is made", Grade::Unknown, true, UNKNOWN, CREATED),
    row("cut-body", "the order is made, and its answer stops short", Grade::Unknown, true, UNKNOWN, CREATED),
    row("html", "the order is made, and a web page comes instead of its answer", Grade::Unknown, true, UNKNOWN, CREATED),
    row("null-env-id", "the order is made, and its answer has no EnvId", Grade::Ordered, true, AWAITING, CREATED),
    row("missing-tran-id", "the order is made, and its answer has no TranId", Grade::Unknown, true, UNKNOWN, CREATED),
    row("error:InternalError", "an error that proves nothing; nothing is done", Grade::Unknown, false, UNKNOWN, UNKNOWN),
    row("error-after:InternalError", "an error that proves nothing; the order is made", Grade::Unknown, true, UNKNOWN, CREATED),
    row("error:FailedOperation", "an error that proves nothing; nothing is done", Grade::Unknown, false, UNKNOWN, UNKNOWN),
    row("error-after:FailedOperation", "an error that proves nothing; the order is made", Grade::Unknown, true, UNKNOWN, CREATED),
    row("error:NoSuchCodeAnywhere", "an error that nobody knows", Grade::Unknown, false, UNKNOWN, UNKNOWN),
    row("error:LimitExceeded.Request", "an undocumented member of a documented family; nothing is done", Grade::Unknown, false, UNKNOWN, UNKNOWN),
    row("error-after:RequestLimitExceeded.Other", "an undocumented member of a documented family; the order is made", Grade::Unknown, true, UNKNOWN, CREATED),
    row("error:LimitExceeded", "a quota is used up", Grade::Refused, false, None, None),
    row("error:InvalidParameter", "the order is refused", Grade::Refused, false, None, None),
    row("error-after:InvalidParameter", "the order is refused, and made all the same", Grade::Refused, true, UNKNOWN, UNKNOWN),
    row("error:ResourceUnavailable.BalanceNotEnough", "the account has no money left", Grade::Refused, false, None, None),
    row("error:ActionOffline", "Tencent Cloud no longer sells", Grade::Refused, false, None, None),
    row("error:AuthFailure.SecretIdNotFound", "the key is not known", Grade::Refused, false, None, None),
];

const ALIASES: [&str; 3] = ["one", "two", "three"];

/// One run.
#[derive(Debug, Clone)]
struct Case {
    /// Rows of the table, and the calls that they strike at.
    faults: Vec<(usize, u64)>,
    in_flight: u32,
    read_back: bool,
}

impl Case {
    fn texts(&self) -> Vec<String> {
        let text = |(row, call): &(usize, u64)| format!("{}@{call}", TABLE[*row].fault);
        self.faults.iter().map(text).collect()
    }
}

fn alone() -> Vec<Case> {
    let mut cases = Vec::new();
    for row in 0..TABLE.len() {
        for call in 1..=3 {
            for in_flight in [1, 4] {
                for read_back in [false, true] {
                    cases.push(Case { faults: vec![(row, call)], in_flight, read_back });
                }
            }
        }
    }
    cases
}

/// Every two kinds, in both orders and of one kind twice; the calls, the number in flight and read-back take turns, so that
/// over all pairs each combination of these comes equally often.
fn pairs() -> Vec<Case> {
    const CALLS: [(u64, u64); 3] = [(1, 2), (2, 3), (1, 3)];
    let mut cases = Vec::new();
    for first in 0..TABLE.len() {
        for second in 0..TABLE.len() {
            // Each kind meets all twelve combinations, as the first and as the second.
            let turn = first + second;
            let (one, other) = CALLS[turn % 3];
            cases.push(Case {
                faults: vec![(first, one), (second, other)],
                in_flight: if (turn / 3).is_multiple_of(2) { 1 } else { 4 },
                read_back: (turn / 6).is_multiple_of(2),
            });
        }
    }
    cases
}

/// What the table and the calls that arrived come to.
#[derive(Debug, PartialEq, Eq)]
struct Expected {
    exit: i32,
    /// By alias: what the state says, and how the attempts ended.
    states: BTreeMap<String, Status>,
    grades: BTreeMap<String, Vec<Grade>>,
}

fn expected(case: &Case, ledger: &[LedgerEntry]) -> Expected {
    let mut recorded: BTreeMap<String, Status> = BTreeMap::new();
    let mut evidence: BTreeMap<String, Vec<Grade>> = BTreeMap::new();
    for entry in ledger {
        let struck = case.faults.iter().find(|(_, call)| *call == entry.call);
        let (grade, status) = match struck.map(|(row, _)| &TABLE[*row]) {
            Some(row) => {
                assert_eq!(entry.acted, row.acted, "{}", row.fault);
                let status = if case.read_back { row.on } else { row.off };
                (row.grade, status)
            }
            None => (Grade::Ordered, CREATED),
        };
        let alias = alias(entry).to_owned();
        // What was provably not sent counts for nothing: the attempt after it does.
        if grade == Grade::NotSent {
            recorded.entry(alias.clone()).or_insert(None);
        } else {
            recorded.insert(alias.clone(), status);
        }
        evidence.entry(alias).or_default().push(grade);
    }
    let has = |wanted: Status| recorded.values().any(|status| *status == wanted);
    let kept = recorded.values().flatten().count();
    let exit = match (has(UNKNOWN), kept < ALIASES.len()) {
        (true, _) => 4,
        (false, false) => 0,
        (false, true) if has(CREATED) || has(AWAITING) => 3,
        (false, true) => 1,
    };
    Expected { exit, states: recorded, grades: evidence }
}

/// What the state and the receipt say.
fn found(project: &Project, exit: Option<i32>, ledger: &[LedgerEntry]) -> Expected {
    let state = project.json(STATE);
    let arrived: BTreeSet<&str> = ledger.iter().map(alias).collect();
    let states = arrived.iter().map(|alias| {
        let status = state["environments"][*alias]["status"].as_str();
        let known = [CREATED, AWAITING, UNKNOWN].into_iter().find(|known| *known == status);
        ((*alias).to_owned(), known.unwrap_or(None))
    });
    let receipt = fs::read_dir(project.file(RECEIPTS)).unwrap().next().unwrap();
    let text = fs::read_to_string(receipt.unwrap().path()).unwrap();
    let mut grades: BTreeMap<String, Vec<Grade>> = BTreeMap::new();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let withdrawn =
            line["message"].as_str().is_some_and(|it| it.starts_with("cancelled before it was sent"));
        if line["event"] == "outcome" && !withdrawn {
            let grade = match line["evidence"].as_str().unwrap() {
                "ordered" => Grade::Ordered,
                "not_sent" => Grade::NotSent,
                "refused" => Grade::Refused,
                "unknown" => Grade::Unknown,
                other => panic!("no grade: {other}"),
            };
            let address = line["address"].as_str().unwrap().to_owned();
            grades.entry(address).or_default().push(grade);
        }
    }
    Expected { exit: exit.unwrap_or(-1), states: states.collect(), grades }
}

fn alias(entry: &LedgerEntry) -> &str {
    entry.params["Alias"].as_str().unwrap()
}

/// How many calls arrive when one fault strikes and calls are made one by one.
fn calls_one_by_one(row: &Row, call: u64, read_back: bool) -> u64 {
    let status = if read_back { row.on } else { row.off };
    match (row.grade, status) {
        (Grade::NotSent, _) => 4,
        (_, CREATED | AWAITING) => 3,
        (_, _) => call,
    }
}

fn run(case: &Case, again: bool) -> Result<Counts, String> {
    let project = Project::of(&ALIASES);
    let faults = case.texts();
    let hangs = faults.iter().any(|fault| fault.starts_with("hang"));
    let in_flight = case.in_flight.to_string();
    let mut args = vec!["apply", "-y", "--rate", "100", "--sandbox-rate", "1000"];
    args.extend(["--in-flight", &in_flight]);
    // It holds for listings too: on a busy computer a shorter one ends them, and the run with them, before anything is sent.
    args.extend(["--timeout", if hangs { "2s" } else { "20s" }]);
    // One look is enough: the endpoint lists at once.
    args.extend(["--settle", if case.read_back { "900ms" } else { "0s" }]);
    if case.in_flight > 1 && !hangs {
        // So that several are under way when the first answer comes.
        args.extend(["--latency", "60ms"]);
    }
    for fault in &faults {
        args.extend(["--fault", fault]);
    }
    let ran = project.run(&args);
    if !project.exists(STATE) {
        return Err(format!("no state was written\n{ran}"));
    }
    let ledger = project.ledger();
    let (found, expected) = (found(&project, ran.code, &ledger), expected(case, &ledger));
    if found != expected {
        return Err(format!("expected {expected:#?}\nfound {found:#?}\n{ran}"));
    }
    if let (1, [(row, call)]) = (case.in_flight, &*case.faults) {
        let calls = calls_one_by_one(&TABLE[*row], *call, case.read_back);
        if ledger.len() as u64 != calls {
            return Err(format!("{calls} calls, not {}\n{ran}", ledger.len()));
        }
    }
    let struck = ledger.iter().filter(|entry| entry.fault.is_some()).count();
    if again {
        // The next run orders what surely is not there, and nothing else.
        let unknown = found.states.values().any(|status| *status == UNKNOWN);
        let ran =
            project.run(["apply", "-y", "--rate", "100", "--sandbox-rate", "1000", "--settle", "900ms"]);
        if ran.code != Some(if unknown { 4 } else { 0 }) {
            return Err(format!("the next run\n{ran}"));
        }
        let now = project.ledger();
        let again = now[ledger.len()..].iter().map(alias);
        let unknown: Vec<_> =
            again.filter(|alias| found.states.get(*alias).is_some_and(Option::is_some)).collect();
        if !unknown.is_empty() {
            return Err(format!("ordered again: {unknown:?}\n{ran}"));
        }
    }
    let orders = project.orders();
    let duplicates = orders.values().filter(|times| **times > 1).count();
    if duplicates > 0 {
        return Err(format!("ordered twice: {orders:?}\n{ran}"));
    }
    Ok(Counts { runs: 1, struck, orders: orders.len() })
}

#[derive(Debug, Default)]
struct Counts {
    runs: usize,
    struck: usize,
    orders: usize,
}

fn all(what: &str, cases: Vec<Case>, again: bool) {
    let started = Instant::now();
    let total = Mutex::new((Counts::default(), Vec::new()));
    // An unknown outcome is waited for.
    in_parallel_by(12, cases, |case| {
        let ended = run(&case, again);
        let mut total = total.lock().unwrap();
        match ended {
            Ok(Counts { runs, struck, orders }) => {
                total.0.runs += runs;
                total.0.struck += struck;
                total.0.orders += orders;
            }
            Err(why) => total.1.push(format!(
                "{} with {} in flight, read-back {}: {why}",
                case.texts().join(" and "),
                case.in_flight,
                if case.read_back { "on" } else { "off" },
            )),
        }
    });
    let (Counts { runs, struck, orders }, wrong) = total.into_inner().unwrap();
    let _ = writeln!(
        std::io::stderr(),
        "faults {what}: {} kinds, {runs} runs, {struck} faults struck, {orders} orders, 0 duplicates, {} wrong, {:.1} s",
        TABLE.len(),
        wrong.len(),
        started.elapsed().as_secs_f64(),
    );
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_fault_alone_proves_what_the_table_says() {
    all("alone", alone(), true);
}

#[test]
fn every_two_faults_together_prove_what_the_table_says() {
    all("in pairs", pairs(), false);
}

#[test]
fn an_id_that_was_not_told_is_found_by_a_run_that_orders_something_else() {
    let project = Project::of(&ALIASES[..1]);
    let without_id = ["apply", "-y", "--settle", "0s", "--fault", "null-env-id@1"];
    project.run(without_id).exits(0);
    assert_eq!(project.json(STATE)["environments"]["one"]["status"].as_str(), AWAITING);
    project.declare(&ALIASES);
    let fast = ["--rate", "100", "--sandbox-rate", "1000"];
    project.run(["apply", "-y", "--settle", "900ms"].iter().chain(&fast)).exits(0);
    assert_eq!(project.json(STATE)["environments"]["one"]["status"].as_str(), CREATED);
    assert_eq!(project.ordered_once().len(), 3);
}

/// The table as the page on the protocol shows it.
fn printed() -> String {
    let mut text = "| fault | what happens | evidence | Tencent Cloud acted | not read back | read back |\n|---|---|---|---|---|---|\n".to_owned();
    let ending = |status: Status| match status {
        None => "no record, 1 or 3".to_owned(),
        UNKNOWN => "`unknown`, 4".to_owned(),
        Some(status) => format!("`{status}`, 0"),
    };
    for Row { fault, what, grade, acted, off, on } in &TABLE {
        let grade = match grade {
            Grade::Ordered => "ordered",
            Grade::NotSent => "not_sent, sent again",
            Grade::Refused => "refused",
            Grade::Unknown => "unknown",
        };
        let acted = if *acted { "yes" } else { "no" };
        let _ =
            writeln!(text, "| `{fault}` | {what} | {grade} | {acted} | {} | {} |", ending(*off), ending(*on));
    }
    text
}

#[test]
fn the_page_on_the_protocol_shows_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/apply/protocol.md");
    let page = fs::read_to_string(&path).unwrap();
    let start = page.find("| fault |").expect("the page has the table");
    let length = page[start..].find("\n\n").map_or(page.len() - start, |end| end + 1);
    let wanted = format!("{}{}{}", &page[..start], printed(), &page[start + length..]);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, wanted).unwrap();
    } else {
        assert_eq!(page, wanted, "UPDATE_DOCS=1 rewrites it");
    }
}

/// The kinds that the sandbox has, by the message that lists them.
#[test]
fn every_fault_of_the_sandbox_is_in_the_table() {
    let error = "nonsense@1".parse::<Fault>().unwrap_err().to_string();
    let list = error.split("expected ").nth(1).unwrap();
    // `throttle-for` is `throttle`, for as many calls as come.
    let list = list.split(", throttle-for:TIME").next().unwrap();
    let strikes_orders = |kind: &&str| format!("{kind}@1").parse::<Fault>().is_ok();
    for kind in list.split(", ").filter(strikes_orders) {
        assert!(TABLE.iter().any(|row| row.fault == kind), "{kind} has no row");
    }
}
