use proptest::prelude::*;

use super::*;
use crate::state::arbitrary::{ids, journal, wild_journal};
use crate::state::journal::{Recovered, RunEnded};
use crate::state::record::Status;
use crate::state::replay::replay;

fn encoded(journal: &Journal) -> Vec<u8> {
    encode_journal(journal).unwrap()
}

fn decode(bytes: &[u8]) -> Result<Decoded, StateError> {
    decode_open_journal(Path::new("x.journal.jsonl"), bytes)
}

proptest! {
    // Each case makes a hundred cuts or flips.
    #![proptest_config(ProptestConfig::with_cases(1 + ProptestConfig::default().cases / 4))]

    #[test]
    fn journal_round_trips(journal in prop_oneof![journal(), wild_journal()]) {
        let bytes = encoded(&journal);
        let whole = decode(&bytes).unwrap();
        prop_assert!(!whole.torn);
        prop_assert_eq!(whole.journal, journal);
    }

    #[test]
    fn cut_journal_keeps_its_whole_lines(journal in journal(), first in 0..100_usize) {
        let bytes = encoded(&journal);
        for length in (first..=bytes.len()).step_by(1 + bytes.len() / 100) {
            let cut = &bytes[..length];
            let lines = cut.split(|byte| *byte == b'\n').count() - 1;
            if lines == 0 {
                let error = decode(cut).unwrap_err();
                let is_expected = matches!(error, StateError::JournalDamaged { line: 1, .. });
                prop_assert!(is_expected && error.to_string().contains("is cut"), "{error}");
                continue;
            }
            let whole = decode(cut).unwrap();
            prop_assert_eq!(&whole.journal.entries[..], &journal.entries[..lines - 1]);
            let state = replay(None, &whole.journal);
            let mut open = Vec::new();
            for entry in &whole.journal.entries {
                match &entry.event {
                    Event::Intent(intent) => open.push(&intent.address),
                    Event::Outcome(outcome) => {
                        open.retain(|address| **address != outcome.address);
                        for id in outcome.tran_id.iter().chain(&outcome.env_id) {
                            prop_assert!(ids(&state).contains(&id));
                        }
                    }
                    _ => {}
                }
            }
            for address in open {
                prop_assert_eq!(state.get(address).unwrap().status, Status::Unknown);
            }
        }
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = decode(&bytes);
        let _ = decode_receipt(Path::new("x"), &bytes);
        let _ = decode_start(Path::new("x"), &bytes);
    }

    #[test]
    fn bit_flips_before_the_last_line_are_detected(journal in journal(), first in 0..100_usize) {
        prop_assume!(!journal.entries.is_empty());
        let mut bytes = encoded(&journal);
        let last = bytes[..bytes.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap();
        for place in (first..=last).step_by(1 + last / 100) {
            let bit = 1 << (place % 8);
            bytes[place] ^= bit;
            let error = decode(&bytes).expect_err("a changed journal was read");
            let is_expected = matches!(error, StateError::JournalDamaged { .. } | StateError::Newer { .. });
            prop_assert!(is_expected, "{error}");
            bytes[place] ^= bit;
        }
    }
}

const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

fn start_line() -> String {
    let text = r#"{"seq":1,"prev":"ZEROS","at":"2026-05-01T08:00:00Z","event":"run_started","format_version":1,"run":"01970000-0000-7000-8000-000000000001","lineage":"01970000-0000-7000-8000-000000000002","base":0,"tool_version":"0.1.0","account":{"endpoint":"sandbox","uin":null},"plan":"p","who":"ada@loom","pid":7,"region":null,"commit":null}"#;
    text.replace("ZEROS", ZEROS)
}

#[test]
fn line_format_is_frozen() {
    let text = start_line() + "\n";
    let whole = decode(text.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(encoded(&whole.journal)).unwrap(), text);
}

#[test]
fn damage_is_reported_with_its_line() {
    let first = start_line();
    let hash = sha256_hex(first.as_bytes());
    let second = |seq: u32, prev: &str, rest: &str| {
        format!("{first}\n{{\"seq\":{seq},\"prev\":\"{prev}\",\"at\":\"2026-05-01T08:00:01Z\",{rest}}}\n")
    };
    let ended = r#""event":"run_ended","reason":"finished""#;
    let table = [
        (2, "prev", second(2, ZEROS, ended), "does not follow"),
        (2, "seq", second(3, &hash, ended), "line number is 3"),
        (2, "unknown event", second(2, &hash, r#""event":"coffee""#), "coffee"),
        (
            2,
            "unknown member",
            second(2, &hash, r#""event":"run_ended","reason":"finished","mood":1"#),
            "mood",
        ),
        (
            2,
            "unknown field",
            second(
                2,
                &hash,
                r#""event":"intent","step":1,"attempt":1,"address":"a","action":"x","attributes":{"colour":"red"},"source":{"file":"f","line":1}"#,
            ),
            "colour",
        ),
        (2, "not JSON", format!("{first}\n{{\"seq\":2\n"), "EOF"),
        (2, "an empty line", format!("{first}\n\n"), "EOF"),
        (1, "no start", first.replace("run_started", "run_ended") + "\n", "expected `run_started`"),
        (
            2,
            "two starts",
            second(2, &hash, first.split_once(r#"Z","#).unwrap().1.strip_suffix('}').unwrap()),
            "unknown variant `run_started`",
        ),
    ];
    for (at, what, text, says) in table {
        match decode(text.as_bytes()) {
            Err(StateError::JournalDamaged { line, why, .. }) => {
                assert_eq!(line, at, "{what}: {why}");
                assert!(why.en().contains(says), "{what}: {why}");
            }
            other => panic!("{what}: {other:?}"),
        }
    }
    let newer = first.replace("\"format_version\":1", "\"format_version\":2,\"colour\":\"red\"");
    let error = decode((newer + "\n").as_bytes()).unwrap_err();
    assert!(matches!(error, StateError::Newer { found: 2, .. }), "{error}");
}

#[test]
fn only_recovered_may_follow_the_end_of_a_run() {
    let first = start_line();
    let whole = decode(format!("{first}\n").as_bytes()).unwrap();
    let ended = Event::RunEnded(RunEnded { reason: crate::state::journal::EndReason::Finished });
    let recovered = Event::Recovered(Recovered { by: "ada@loom".to_owned(), unknown: Vec::new() });
    let with = |events: &[&Event]| {
        let mut journal = whole.journal.clone();
        for event in events {
            journal.entries.push(Entry { at: Timestamp::UNIX_EPOCH, event: (*event).clone() });
        }
        encoded(&journal)
    };
    let path = Path::new("receipt");
    assert!(decode_receipt(path, &with(&[&ended])).is_ok());
    assert!(decode_receipt(path, &with(&[&ended, &recovered])).is_ok());
    assert!(decode_receipt(path, &with(&[])).is_err(), "no end");
    assert!(decode(&with(&[&ended, &ended])).is_err());
    assert!(decode(&with(&[&recovered, &ended])).is_err());
    let torn = [with(&[&ended]), b"{\"seq\"".to_vec()].concat();
    assert!(decode_receipt(path, &torn).is_err(), "torn");
    assert!(decode(&torn).is_ok());
}
