//! Symbolic links in the places that postpay writes to: followed on purpose, or refused on purpose.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::{JOURNAL, LEDGER, Project, STATE};

const LOCK: &str = "state/postpay.state.lock";
const FOREIGN: &str = "somebody's own words\n";

/// A repository may bring such a link along; what it leads to is not ours to write to.
#[test]
fn what_lies_beside_the_state_is_no_link() {
    for name in [LOCK, LEDGER, JOURNAL] {
        for there in [true, false] {
            let project = Project::of(&["one"]);
            fs::create_dir_all(project.file("state")).unwrap();
            if there {
                project.write("foreign", FOREIGN);
            }
            symlink("../foreign", project.file(name)).unwrap();
            let ran = project.run(["apply", "-y"]).exits(1);
            let what = format!("{name} {there}: {ran}");
            assert!(ran.stderr.contains("error["), "{what}");
            assert_eq!(project.exists("foreign"), there, "{what}");
            if there {
                assert_eq!(project.read("foreign"), FOREIGN, "{what}");
            }
            assert!(!project.exists(STATE), "{what}");
            fs::remove_file(project.file(name)).unwrap();
            project.run(["apply", "-y"]).exits(0);
            assert_eq!(project.ordered_once(), ["one"], "{what}");
        }
    }
}

/// The state itself may be a link: it stays one, and what lies beside it lies beside what it leads to.
#[test]
fn the_state_may_be_a_link() {
    let project = Project::of(&["one"]);
    fs::create_dir_all(project.file("state")).unwrap();
    fs::create_dir_all(project.file("elsewhere")).unwrap();
    symlink("../elsewhere/shop.state.json", project.file(STATE)).unwrap();
    for orders in [1, 1] {
        project.run(["apply", "-y"]).exits(0);
        assert!(project.file(STATE).is_symlink());
        assert!(!project.file("elsewhere/shop.state.json").is_symlink());
        let ledger = project.ledger_at("elsewhere/shop.sandbox.jsonl");
        assert_eq!(ledger.len(), orders);
    }
    assert!(project.exists("elsewhere/receipts"));
    assert!(!project.exists(LEDGER));
}
