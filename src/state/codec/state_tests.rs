use proptest::prelude::*;

use super::*;
use crate::state::arbitrary::state;

fn decode(bytes: &[u8]) -> Result<State, StateError> {
    decode_state(Path::new("x.state.json"), bytes)
}

proptest! {
    // Each case makes a hundred cuts.
    #![proptest_config(ProptestConfig::with_cases(1 + ProptestConfig::default().cases / 4))]

    #[test]
    fn truncated_state_is_damaged(state in state(), first in 1..100_usize) {
        let bytes = encode_state(&state).unwrap();
        for length in (first..bytes.len() - 1).step_by(1 + bytes.len() / 100) {
            let error = decode(&bytes[..length]).unwrap_err();
            prop_assert!(matches!(error, StateError::Damaged { line: 1.., .. }), "{error}");
        }
    }
}

proptest! {
    #[test]
    fn state_round_trips(state in state()) {
        let bytes = encode_state(&state).unwrap();
        let read = decode(&bytes).unwrap();
        prop_assert_eq!(&encode_state(&read).unwrap(), &bytes);
        prop_assert_eq!(read, state);
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = decode(&bytes);
    }

    #[test]
    fn encoded_state_fits_the_schema(state in state()) {
        let schema = jsonschema::validator_for(&state_schema()).unwrap();
        let value = serde_json::from_slice(&encode_state(&state).unwrap()).unwrap();
        prop_assert!(schema.is_valid(&value));
    }
}

const GOOD: &str = include_str!("../../../tests/suite/fixtures/state/v1/one-of-each.state.json");

#[test]
fn damage_is_reported_with_its_place() {
    let changed = |from: &str, to: &str| {
        assert!(GOOD.contains(from), "{from}");
        GOOD.replacen(from, to, 1).into_bytes()
    };
    let table = [
        ("a member nobody knows", changed("\"serial\"", "\"mood\": 1,\n  \"serial\""), 4, "`mood`"),
        ("a member left out", changed("   \"env_id\": null,\n", ""), 26, "`env_id`"),
        ("a status nobody knows", changed("\"created\"", "\"sold\""), 43, "`sold`"),
        ("a bad address", changed("\"shop-prod\": {", "\"Shop\": {"), 53, "`Shop`"),
        ("an address twice", changed("\"legacy\": {", "\"shop-prod\": {"), 53, "duplicate key"),
        ("a field nobody knows", changed("\"alias\"", "\"colour\""), 20, "`colour`"),
        ("no time", changed("2026-05-01T08:00:00Z", "today"), 24, "year"),
        ("a number for a text", changed("\"0.1.0\"", "1"), 5, "string"),
        ("bytes after the end", changed("\n}\n", "\n}\n}"), 97, "trailing"),
        ("not UTF-8", [b"{\n  \"\xff", GOOD.as_bytes()].concat(), 2, "UTF-8"),
        ("zeros", vec![0; 512], 1, "expected value"),
        ("a list", b"[]".to_vec(), 1, "not a state file"),
        ("no version", b"{}".to_vec(), 1, "format_version"),
        (
            "version 0",
            changed("\"format_version\": 1", "\"format_version\": 0"),
            2,
            "unknown `format_version`",
        ),
    ];
    let (mut places, mut expected) = (Vec::new(), Vec::new());
    for (what, bytes, at, says) in table {
        match decode(&bytes) {
            Err(StateError::Damaged { line, why, .. }) => {
                assert!(why.en().contains(says), "{what}: {why}");
                places.push((what, line));
                expected.push((what, at));
            }
            other => panic!("{what}: {other:?}"),
        }
    }
    assert_eq!(places, expected);
}

#[test]
fn empty_file_and_later_version_have_their_own_errors() {
    for nothing in ["", "\n", "  \r\n"] {
        let error = decode(nothing.as_bytes()).unwrap_err();
        assert!(matches!(error, StateError::Empty { .. }), "{error}");
    }
    let later = br#"{"resources": [], "format_version": 7}"#;
    match decode(later) {
        Err(StateError::Newer { found: 7, supported: 1, .. }) => {}
        other => panic!("{other:?}"),
    }
}
