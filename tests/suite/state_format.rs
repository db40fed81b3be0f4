//! The state file's format: what was once written is read, and written the same, for good.

use std::fs;
use std::path::{Path, PathBuf};

use postpay::state::{decode_state, encode_state, state_schema};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn fixtures() -> Vec<PathBuf> {
    let folder = root().join("tests/suite/fixtures/state/v1");
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(".state.json"))
        .collect();
    paths.sort();
    assert!(paths.len() >= 2, "the fixtures are gone");
    paths
}

#[test]
fn every_state_ever_written_is_read_and_written_the_same() {
    for path in fixtures() {
        let bytes = fs::read(&path).unwrap();
        let state = decode_state(&path, &bytes).unwrap();
        let again = String::from_utf8(encode_state(&state).unwrap()).unwrap();
        assert_eq!(again, String::from_utf8(bytes).unwrap(), "{}", path.display());
    }
}

#[test]
fn every_state_ever_written_fits_the_schema() {
    let schema = jsonschema::validator_for(&state_schema()).unwrap();
    for path in fixtures() {
        let value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let problems: Vec<_> = schema.iter_errors(&value).map(|e| e.to_string()).collect();
        assert!(problems.is_empty(), "{}: {problems:?}", path.display());
    }
    let stranger = serde_json::json!({"format_version": 1, "mood": "good"});
    assert!(!schema.is_valid(&stranger));
}
